using System.Security.Cryptography;
using System.Text;
using Zmtp.Transports;

namespace Gateway.Tests.TestSupport;

/// <summary>
/// A connection whose other end is one side of a captured conversation over WebSocket, in lock-step: it says a unit when those of ours that came before
/// it have been sent, and has us send the messages that were ours.
/// </summary>
/// <param name="vector">The conversation. Our pings are left out: how many there are is a matter of time.</param>
/// <param name="asClient">Whether the other end is the client.</param>
/// <param name="offset">Where what the other end says is split in two; -1 for single bytes.</param>
/// <param name="say">Sends a message of ours.</param>
internal sealed class ZwsConversation(VectorFile vector, bool asClient, int offset, Func<byte[][], Task> say) : Link
{
    private readonly Lock _gate = new();
    private readonly MemoryStream _sent = new();
    private readonly List<byte[]> _message = [];
    private int _at;
    private int _theirs;
    private int _ours;
    private int _due;
    private int _said;
    private ReadOnlyMemory<byte> _rest;
    private (int Count, TaskCompletionSource Reached)? _awaited;

    public override string Remote => "vector";

    /// <summary>What we have sent, as units that can be compared: no masks and no random keys, but every length as it was written.</summary>
    public string[] Sent
    {
        get
        {
            lock (_gate) return [.. Split(_sent.ToArray()).Select(Comparable)];
        }
    }

    /// <summary>What the captured peer sent in our place, likewise.</summary>
    public string[] Expected => [.. Answers.Where(unit => !IsPing(unit)).Select(Comparable)];

    private byte[][] Answers => asClient ? vector.ServerToClient : vector.ClientToServer;

    private byte[][] Script => asClient ? vector.ClientToServer : vector.ServerToClient;

    /// <summary>The frames of a unit that is part of a message: its body, and whether more follow; null for the upgrade, commands and control frames.</summary>
    public static (byte[] Body, bool More)? FrameOf(byte[] unit)
    {
        if (unit[0] != 0x82 || Payload(unit) is not [0 or 1, ..] payload) return null;
        return (payload[1..], payload[0] == 1);
    }

    public override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_rest.IsEmpty) await GoOnAsync();
        var most = offset < 0 ? 1 : _said < offset ? offset - _said : int.MaxValue;
        var count = Math.Min(Math.Min(most, buffer.Length), _rest.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        _said += count;
        return count;
    }

    public override ValueTask<int> SendAsync(ReadOnlyMemory<byte> buffer)
    {
        lock (_gate)
        {
            _sent.Write(buffer.Span);
            if (_awaited is var (count, reached) && Split(_sent.ToArray()).Count >= count) reached.TrySetResult();
        }

        return new(buffer.Length);
    }

    public override void Abort()
    {
        // Its end is that of the script.
    }

    public override ValueTask DisposeAsync() => default;

    /// <summary>Lets us say what is ours now, then takes all that the other end says before it is our turn again; nothing at the end.</summary>
    private async Task GoOnAsync()
    {
        var said = new List<byte[]>();
        for (; _at < vector.Order.Length; _at++)
        {
            if (vector.Order[_at] == asClient)
            {
                said.Add(Real(Script[_theirs++]));
                continue;
            }

            if (said.Count > 0) break;
            await OursAsync(Answers[_ours++]);
        }

        _rest = ZmtpBytes.Concat([.. said]);
    }

    private async Task OursAsync(byte[] unit)
    {
        if (IsPing(unit)) return;
        _due++;
        // Without a mechanism the first frame is the routing id, which is the handshake's.
        var isRoutingId = _due == 2 && FrameOf(unit) is not null;
        if (!isRoutingId && FrameOf(unit) is var (body, more))
        {
            _message.Add(body);
            if (more) return;
            await say([.. _message]);
            _message.Clear();
        }

        Task reached;
        lock (_gate)
        {
            if (Split(_sent.ToArray()).Count >= _due) return;
            _awaited = (_due, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            reached = _awaited.Value.Reached.Task;
        }

        await reached.WaitAsync(ScriptedPeer.Patience);
    }

    /// <summary>The server's answer proves that it has seen the key, which was another one.</summary>
    private byte[] Real(byte[] unit)
    {
        var text = Encoding.Latin1.GetString(unit);
        if (!text.StartsWith("HTTP/1.1 101", StringComparison.Ordinal)) return unit;
        string request;
        lock (_gate) request = Encoding.Latin1.GetString(_sent.ToArray());
        return Encoding.Latin1.GetBytes(WithField(text, "Sec-WebSocket-Accept", Accept(Field(request, "Sec-WebSocket-Key"))));
    }

    private static List<byte[]> Split(byte[] bytes)
    {
        var units = new List<byte[]>();
        for (var at = 0; at < bytes.Length;)
        {
            var rest = bytes.AsSpan(at);
            var isHead = rest[0] is (byte)'G' or (byte)'H';
            if (isHead ? rest.IndexOf("\r\n\r\n"u8) < 0 : rest.Length < 2 || rest.Length < BodyAt(rest)) break;
            var length = isHead ? rest.IndexOf("\r\n\r\n"u8) + 4 : BodyAt(rest) + (int)BodyLength(rest);
            if (rest.Length < length) break;
            units.Add(rest[..length].ToArray());
            at += length;
        }

        return units;
    }

    private static string Comparable(byte[] unit)
    {
        if (unit[0] is not ((byte)'G' or (byte)'H'))
        {
            var lengthEnd = BodyAt(unit) - ((unit[1] & 0x80) != 0 ? 4 : 0);
            return $"{Convert.ToHexString(unit, 0, lengthEnd)} {Convert.ToHexString(Payload(unit))}";
        }

        // The order of fields is nobody's: one of the clients was a script.
        var text = Encoding.Latin1.GetString(unit);
        if (unit[0] == 'G') text = WithField(text, "Sec-WebSocket-Key", "(random)");
        return string.Join("\r\n", text.Split("\r\n").Order(StringComparer.Ordinal));
    }

    private static byte[] Payload(byte[] unit)
    {
        var payload = unit[BodyAt(unit)..];
        if ((unit[1] & 0x80) == 0) return payload;
        var key = unit.AsSpan(BodyAt(unit) - 4, 4).ToArray();
        return [.. payload.Select((octet, i) => (byte)(octet ^ key[i & 3]))];
    }

    private static int BodyAt(ReadOnlySpan<byte> frame) => 2 + (frame[1] & 0x7F) switch { 127 => 8, 126 => 2, _ => 0 } + ((frame[1] & 0x80) != 0 ? 4 : 0);

    private static long BodyLength(ReadOnlySpan<byte> frame) => (frame[1] & 0x7F) switch
    {
        127 => System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(frame[2..]),
        126 => System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(frame[2..]),
        var length => length,
    };

    private static bool IsPing(byte[] unit) => unit[0] == 0x89;

    private static string Field(string head, string name)
    {
        var start = head.IndexOf($"\r\n{name}: ", StringComparison.Ordinal) + name.Length + 4;
        return head[start..head.IndexOf("\r\n", start, StringComparison.Ordinal)];
    }

    private static string WithField(string head, string name, string value) => head.Replace($"{name}: {Field(head, name)}", $"{name}: {value}", StringComparison.Ordinal);

#pragma warning disable CA5350 // RFC 6455 asks for SHA-1.
    private static string Accept(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
}
