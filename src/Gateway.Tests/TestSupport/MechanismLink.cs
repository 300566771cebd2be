using System.Buffers;
using Zmtp.Security;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Gateway.Tests.TestSupport;

/// <summary>
/// A connection in memory whose far end shakes hands by a mechanism of its own, says what it has to say and ends. What it says may be changed on
/// the way, so that a test can break an encrypted conversation at any place. A connection run on it runs to its end on the calling thread.
/// </summary>
/// <param name="far">The far end's mechanism.</param>
/// <param name="traffic">Frames that the far end sends when it is ready.</param>
/// <param name="spoil">Changes a unit (0 the greeting, then a command or frame each); null for a faithful link.</param>
internal sealed class MechanismLink(Mechanism far, IReadOnlyList<(FrameFlags Flags, byte[] Body)> traffic, Func<int, byte[], byte[]>? spoil = null) : Link
{
    private readonly ArrayBufferWriter<byte> _heard = new();
    private readonly Queue<byte[]> _said = new();
    private byte[] _current = [];
    private int _read;
    private int _at;
    private int _units;
    private bool _greeted;

    /// <summary>Whether the far end was told READY.</summary>
    public bool FarIsReady { get; private set; }

    public override string Remote => "memory";

    public override ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_units == 0) Say(ZmtpBytes.Greeting(mechanism: far.Name));
        if (_at == _current.Length)
        {
            if (!_said.TryDequeue(out var next)) return new ValueTask<int>(0);
            (_current, _at) = (next, 0);
        }

        var count = Math.Min(buffer.Length, _current.Length - _at);
        _current.AsMemory(_at, count).CopyTo(buffer);
        _at += count;
        return new ValueTask<int>(count);
    }

    public override ValueTask<int> SendAsync(ReadOnlyMemory<byte> buffer)
    {
        _heard.Write(buffer.Span);
        Hear();
        return new ValueTask<int>(buffer.Length);
    }

    public override void Abort() => _said.Clear();

    public override ValueTask DisposeAsync()
    {
        far.Dispose();
        far.Protection?.Dispose();
        return default;
    }

    private void Hear()
    {
        if (_units == 0) Say(ZmtpBytes.Greeting(mechanism: far.Name));
        if (!_greeted)
        {
            if (_heard.WrittenCount < 64) return;
            (_greeted, _read) = (true, 64);
            Step(output => far.Start(output));
        }

        while (!FarIsReady)
        {
            var unread = _heard.WrittenSpan[_read..];
            if (FrameHeader.TryParse(unread, 1 << 20, out var header, out _) != OperationStatus.Done || unread.Length < header.Size + header.BodyLength) return;
            var body = _heard.WrittenSpan.Slice(_read + header.Size, (int)header.BodyLength).ToArray();
            _read += header.Size + body.Length;
            Step(output => Command.TryParse(body, out var command) == ProtocolError.None ? far.Receive(command, output, out _, out _) : HandshakeStep.Failed);
        }
    }

    private void Step(Func<IBufferWriter<byte>, HandshakeStep> take)
    {
        var output = new ArrayBufferWriter<byte>();
        var step = take(output);
        if (step == HandshakeStep.Authenticate) step = far.Authenticated(new AuthenticationResult(200), output);
        if (output.WrittenCount > 0) Say(output.WrittenSpan.ToArray());
        if (step != HandshakeStep.Done) return;
        FarIsReady = true;
        foreach (var (flags, body) in traffic) Say(Framed(flags, body));
    }

    private byte[] Framed(FrameFlags flags, byte[] body)
    {
        if (far.Protection is not { } protection)
        {
            var framed = ZmtpBytes.Frame(body, (flags & FrameFlags.More) != 0);
            if ((flags & FrameFlags.Command) != 0) framed[0] |= (byte)FrameFlags.Command;
            return framed;
        }

        var box = new byte[body.Length + protection.Overhead];
        protection.Seal(flags, body, box);
        return ZmtpBytes.Frame(box);
    }

    private void Say(byte[] unit)
    {
        var changed = spoil is null ? unit : spoil(_units, unit);
        _units++;
        if (changed.Length > 0) _said.Enqueue(changed);
    }
}
