using System.Buffers.Binary;
using System.Text;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.WebSockets;

/// <summary>One case of the Autobahn test suite, told as data: what is sent, what must come back, how the connection must end.</summary>
/// <param name="fill">For a case with much payload: fills it when it is run, so that a list of all cases stays small.</param>
internal sealed class AutobahnCase(string id, string what, Func<AutobahnCase, AutobahnCase>? fill = null)
{
    private static readonly byte[] MaskKey = [0x37, 0xFA, 0x21, 0x3D];

    private readonly List<Step> _steps = [];
    private readonly List<RawFrame> _expected = [];
    private long _payloadBytes;

    public string Id => id;

    public string What => what;

    public IReadOnlyList<Step> Steps => _steps;

    /// <summary>Messages and pongs that must come back, in order.</summary>
    public IReadOnlyList<RawFrame> Expected => _expected;

    /// <summary>Codes that the server's close frame may have; 0 for a close without a code.</summary>
    public int[] CloseCodes { get; private set; } = [1000];

    /// <summary>Whether the server has to fail the connection by itself.</summary>
    public bool MustFail { get; private set; }

    /// <summary>Whether the case has sent its own close frame.</summary>
    public bool HasClosed { get; private set; }

    /// <summary>Whether it is also run with the server reading one byte at a time.</summary>
    public bool IsSmall => fill is null && _payloadBytes < 64 * 1024;

    /// <summary>The case with its payload.</summary>
    public AutobahnCase Filled() => fill is null ? this : fill(new AutobahnCase(id, what));

    /// <summary>Sends a frame, in chops of the given size if one is given.</summary>
    public AutobahnCase Send(int opcode, ReadOnlySpan<byte> payload = default, bool fin = true, int rsv = 0, int chop = 0)
    {
        _payloadBytes += payload.Length;
        if (opcode == 8) HasClosed = true;
        return SendBytes(Frame(opcode, payload, fin, rsv), chop);
    }

    public AutobahnCase Send(int opcode, string payload, bool fin = true, int rsv = 0, int chop = 0) =>
        Send(opcode, Encoding.UTF8.GetBytes(payload), fin, rsv, chop);

    /// <summary>Sends bytes as they are.</summary>
    public AutobahnCase SendBytes(ReadOnlyMemory<byte> bytes, int chop = 0)
    {
        _steps.Add(new Step(bytes, chop, AwaitEvents: 0));
        return this;
    }

    /// <summary>Sends a message in fragments of the given size.</summary>
    public AutobahnCase SendFragmented(int opcode, ReadOnlySpan<byte> payload, int fragment)
    {
        for (var start = 0; start < payload.Length; start += fragment)
        {
            var length = Math.Min(fragment, payload.Length - start);
            Send(start == 0 ? opcode : 0, payload.Slice(start, length), fin: start + length == payload.Length);
        }

        return this;
    }

    /// <summary>Sends a close frame with this payload.</summary>
    public AutobahnCase SendClose(ReadOnlySpan<byte> payload) => Send(8, payload);

    public AutobahnCase SendClose(int code, string reason = "")
    {
        var payload = new byte[2 + Encoding.UTF8.GetByteCount(reason)];
        BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)code);
        Encoding.UTF8.GetBytes(reason, payload.AsSpan(2));
        return SendClose(payload);
    }

    /// <summary>Waits until all that is expected so far has come back.</summary>
    public AutobahnCase Await()
    {
        _steps.Add(new Step(default, Chop: 0, _expected.Count));
        return this;
    }

    public AutobahnCase Expect(int opcode, ReadOnlySpan<byte> payload = default)
    {
        _expected.Add(new RawFrame(opcode, Fin: true, payload.ToArray()));
        return this;
    }

    public AutobahnCase Expect(int opcode, string payload) => Expect(opcode, Encoding.UTF8.GetBytes(payload));

    /// <summary>Sends a whole message and expects it back.</summary>
    public AutobahnCase Echo(int opcode, ReadOnlySpan<byte> payload, int chop = 0) => Send(opcode, payload, chop: chop).Expect(opcode, payload);

    public AutobahnCase Echo(int opcode, string payload, int chop = 0) => Echo(opcode, Encoding.UTF8.GetBytes(payload), chop);

    public AutobahnCase Closes(params int[] codes)
    {
        CloseCodes = codes;
        return this;
    }

    public AutobahnCase Fails(params int[] codes)
    {
        MustFail = true;
        return Closes(codes);
    }

    /// <summary>A client's frame, written here by hand and not by the code under test.</summary>
    public static byte[] Frame(int opcode, ReadOnlySpan<byte> payload, bool fin = true, int rsv = 0)
    {
        var lengthSize = payload.Length switch { < 126 => 0, < 65_536 => 2, _ => 8 };
        var frame = new byte[2 + lengthSize + 4 + payload.Length];
        frame[0] = (byte)((fin ? 0x80 : 0) | (rsv << 4) | opcode);
        frame[1] = (byte)(0x80 | lengthSize switch { 0 => payload.Length, 2 => 126, _ => 127 });
        if (lengthSize == 2) BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
        if (lengthSize == 8) BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(2), (ulong)payload.Length);
        MaskKey.CopyTo(frame.AsSpan(2 + lengthSize));
        var body = frame.AsSpan(2 + lengthSize + 4);
        for (var i = 0; i < body.Length; i++) body[i] = (byte)(payload[i] ^ MaskKey[i & 3]);
        return frame;
    }

    /// <summary>Bytes to send in chops (0: at once), then a number of events to wait for.</summary>
    public sealed record Step(ReadOnlyMemory<byte> Bytes, int Chop, int AwaitEvents);
}
