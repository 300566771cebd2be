using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Gateway.Backends;
using Gateway.Connections;
using Gateway.Templates;
using Zmtp.Wire;

namespace Gateway.Calls;

/// <summary>Turns the parts of one reply into the response, while they arrive, on the lane's read loop.</summary>
/// <remarks>Reused from call to call by its owner. Nothing is thrown at the lane: what is wrong is kept and thrown by <see cref="EndAsync"/>.</remarks>
internal sealed class CallReply(CallRoute route, TimeProvider time)
{
    // Beyond this the response is flushed before the next part is taken, so that a slow client slows the peer down.
    private const int FlushThreshold = 32 * 1024;
    private readonly ReplyTemplate _template = route.Reply;
    private readonly List<KeyValuePair<string, string>> _fields = [];
    private readonly PooledBuffer _held = new();
    private readonly PooledBuffer _late = new();
    private HttpContext _context = null!;
    private HttpResponse _response = null!;
    private Task _starting = Task.CompletedTask;
    private ReplyParts? _parts;
    private BackendException? _failure;
    private int _frame;
    private int _status;
    private int _fieldBytes;
    private string _contentType = "";
    private int _unflushed;
    private bool _isSingle;
    private bool _hasHeld;
    private bool _hasNoBody;
    private bool _wasFlushed;
    private StallWatch? _watch;

    /// <summary>Code of a call whose client took nothing more of the response.</summary>
    public const string ClientStalled = "client-stalled";

    /// <summary>Whether the request was aborted for that.</summary>
    public bool HasStalled => _watch is { HasStalled: true };

    /// <summary>Header fields of the backend that were left out.</summary>
    public int StrippedFields { get; private set; }

    /// <summary>Begins a reply.</summary>
    public void Begin(HttpContext context)
    {
        (_context, _response) = (context, context.Response);
        (_frame, _status, _contentType) = (0, StatusCodes.Status200OK, route.ContentType);
    }

    /// <summary>As <see cref="ICall.Accept"/>.</summary>
    public bool Accept(in FramePart part)
    {
        if (_failure is null) AcceptPart(part);
        if (part.IsLast) _frame++;
        // What ends the message need not wait: the end of the request flushes.
        return part.EndsMessage || (_unflushed < FlushThreshold && _starting.IsCompletedSuccessfully);
    }

    /// <summary>As <see cref="ICall.WhenReadyAsync"/>.</summary>
    public async ValueTask WhenReadyAsync(CancellationToken stopping)
    {
        try
        {
            await StartedAsync();
            (_unflushed, _wasFlushed) = (0, true);
            await FlushAsync(stopping);
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            // Whatever is wrong with this client is no fault of the lane, which carries other calls: the call fails with it.
            _failure ??= new BackendException(StatusCodes.Status502BadGateway, "client-gone", "The response could not be sent.", e);
        }
    }

    /// <summary>Finishes the response once the reply's last part was taken.</summary>
    /// <exception cref="BackendException">502 <c>backend-bad-reply</c>: the reply is not what the template says.</exception>
    public ValueTask EndAsync()
    {
        if (HasStalled)
            _failure = new BackendException(StatusCodes.Status502BadGateway, ClientStalled, "The client took nothing more of the response.");

        if (_failure is null && _frame < _template.Required) Fail($"has {_frame} frames where the route's Reply names {_template.Required}");
        if (_failure is not null) throw _failure;
        if (!_isSingle) Finish();
        if (_failure is not null) throw _failure;
        return _starting.IsCompletedSuccessfully && !_wasFlushed ? default : SendRestAsync();
    }

    /// <summary>Appends to the body.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (_hasNoBody || bytes.IsEmpty) return;
        if (!_starting.IsCompletedSuccessfully)
        {
            _late.Write(bytes);
            return;
        }

        // Asked for in one piece, so that header and body share a buffer and a send; parts are bounded by the lane's receive buffer.
        var writer = _response.BodyWriter;
        bytes.CopyTo(writer.GetSpan(bytes.Length));
        writer.Advance(bytes.Length);
        _unflushed += bytes.Length;
    }

    /// <summary>Sends a body that was put together.</summary>
    public void WriteWhole(ReadOnlySpan<byte> body, string contentType)
    {
        if (!HasNoContent) (_response.ContentType, _response.ContentLength) = (contentType, body.Length);
        Start();
        Write(body);
    }

    /// <summary>Keeps the first thing that is wrong with the reply.</summary>
    public void Fail(string what) =>
        _failure ??= new BackendException(StatusCodes.Status502BadGateway, "backend-bad-reply", $"The reply of backend '{route.BackendName}' {what}.");


    /// <summary>Forgets the reply.</summary>
    public void Reset()
    {
        (_context, _response) = (null!, null!);
        _watch?.Dispose();
        _watch = null;
        _fields.Clear();
        _held.Reset();
        _late.Reset();
        _starting = Task.CompletedTask;
        (_parts, _failure) = (null, null);
        (_fieldBytes, _unflushed, StrippedFields) = (0, 0, 0);
        (_isSingle, _hasHeld, _hasNoBody, _wasFlushed) = (false, false, false, false);
    }

    private void AcceptPart(in FramePart part)
    {
        var kind = _frame < _template.Frames.Length ? _template.Frames[_frame].Kind : ReplyFrameKind.Parts;
        switch (kind)
        {
            case ReplyFrameKind.Body:
                AcceptBody(part);
                break;
            case ReplyFrameKind.Parts:
                AcceptOneOfMany(part);
                break;
            case ReplyFrameKind.Skip:
                break;
            default:
                if (part.IsWhole && part.FrameLength <= ReplyHeaders.MaxBytes) AcceptHead(kind, part.Bytes);
                else Fail($"has {part.FrameLength} bytes in frame {_frame}, where a {kind.ToString().ToLowerInvariant()} should stand");
                break;
        }
    }

    private void AcceptBody(in FramePart part)
    {
        var isLastNamed = _frame == _template.Frames.Length - 1;
        if (part.IsFirst)
        {
            if (isLastNamed && part.More)
            {
                AcceptOneOfMany(part);
                return;
            }

            if (!isLastNamed && part.IsWhole)
            {
                // Frames to skip follow, and perhaps more than those: only the end tells what the response is.
                _held.Write(part.Bytes);
                _hasHeld = true;
                return;
            }

            StartSingle(part.FrameLength);
        }

        if (_parts is not null) _parts.Write(part, this);
        else Write(part.Bytes);
    }

    private void AcceptOneOfMany(in FramePart part)
    {
        if (_isSingle)
        {
            Fail("has more frames than the route's Reply names, after a body that was already being sent");
            return;
        }

        if (_parts is null) StartMany();
        _parts.Write(part, this);
    }

    private void AcceptHead(ReplyFrameKind kind, ReadOnlySpan<byte> frame)
    {
        if (kind == ReplyFrameKind.Status)
        {
            if (frame.Length != 3 || !int.TryParse(frame, NumberStyles.None, null, out _status) || !ReplyHeaders.IsFinalStatus(_status))
            {
                Fail("has a status that is no number from 200 to 599");
            }
        }
        else if (kind == ReplyFrameKind.Head)
        {
            var wrong = ReplyHeaders.ReadHead(frame, _fields, out _status, out var stripped);
            if (wrong is not null) Fail($"has a head that {wrong}");
            StrippedFields += stripped;
        }
        else if (!ReplyHeaders.TryReadValue(frame, out var value))
        {
            Fail($"has a value for {_template.Frames[_frame].Name} that is not visible ASCII");
        }
        else if ((_fieldBytes += value.Length) > ReplyHeaders.MaxBytes)
        {
            Fail($"has more than {ReplyHeaders.MaxBytes} bytes of headers");
        }
        else if (value.Length > 0)
        {
            _fields.Add(new(_template.Frames[_frame].Name, value));
        }
    }

    private void StartSingle(long length)
    {
        _isSingle = true;
        SetHead();
        if (!HasNoContent) _response.ContentLength = length;
        Start();
    }

    [MemberNotNull(nameof(_parts))]
    private void StartMany()
    {
        SetHead();
        _parts = ReplyParts.For(_context.Request, _contentType);
        if (_parts.ContentType is { } contentType)
        {
            if (!HasNoContent) _response.ContentType = contentType;
            Start();
        }

        if (_hasHeld) _parts.Write(new FramePart(_held.Written, _held.Length, isFirst: true, isLast: true, more: true), this);
    }

    // Called when no body was begun as a single one.
    private void Finish()
    {
        if (_parts is not null)
        {
            _parts.End(this);
            return;
        }

        StartSingle(_held.Length);
        if (_hasHeld) Write(_held.Written);
    }

    private void SetHead()
    {
        _response.StatusCode = _status;
        _hasNoBody = HasNoContent || HttpMethods.IsHead(_context.Request.Method);
        foreach (var (name, value) in _fields)
        {
            if (name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)) _contentType = value;
            else _response.Headers.Append(name, value);
        }

        if (!HasNoContent) _response.ContentType = _contentType;
    }

    // Headers first, so that the body goes straight into the connection's buffer instead of waiting for them in one of its own.
    private void Start() => _starting = _response.StartAsync(CancellationToken.None);

    private bool HasNoContent =>
        _status is StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified;

    private async ValueTask SendRestAsync()
    {
        await StartedAsync();
        // The end of a request flushes only a response that was never flushed before.
        await FlushAsync(CancellationToken.None);
    }

    private ValueTask FlushAsync(CancellationToken stopping)
    {
        // Before the flush, for that is when the server begins to measure.
        _watch ??= new StallWatch(_context, route.Limits.ResponseStallTimeout, route.Limits.MinResponseRate, time);
        var flush = _response.BodyWriter.FlushAsync(stopping);
        return flush.IsCompletedSuccessfully ? default : _watch.WaitAsync(flush.AsTask());
    }

    private async ValueTask StartedAsync()
    {
        await _starting;
        if (_late.Length == 0) return;
        _response.BodyWriter.Write(_late.Written);
        _unflushed += _late.Length;
        _late.Reset();
    }
}
