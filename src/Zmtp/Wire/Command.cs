namespace Zmtp.Wire;

/// <summary>A command's body: a name and data (37/ZMTP 3.1, "Commands").</summary>
internal readonly ref struct Command
{
    private Command(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        Name = name;
        Data = data;
    }

    /// <summary>The name: 1 to 255 ASCII letters, compared exactly.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>What follows the name.</summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>Splits a command frame's body. Never throws.</summary>
    /// <returns>None, or MalformedCommand when it is empty or its name runs past the end.</returns>
    public static ProtocolError TryParse(ReadOnlySpan<byte> body, out Command command)
    {
        command = default;
        if (body.IsEmpty || body[0] == 0 || body[0] > body.Length - 1) return ProtocolError.MalformedCommand;
        command = new Command(body.Slice(1, body[0]), body[(1 + body[0])..]);
        return ProtocolError.None;
    }

    /// <summary>Writes a whole command frame, header included.</summary>
    /// <param name="output">At least <see cref="FrameSize"/> bytes.</param>
    /// <returns>Bytes written.</returns>
    public static int WriteFrame(Span<byte> output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        var header = FrameHeader.For(1 + name.Length + data.Length, command: true);
        var at = header.Write(output);
        output[at++] = (byte)name.Length;
        name.CopyTo(output[at..]);
        data.CopyTo(output[(at + name.Length)..]);
        return at + name.Length + data.Length;
    }

    /// <summary>Bytes of a command frame, header included.</summary>
    public static int FrameSize(int nameLength, int dataLength) => FrameHeader.For(1 + nameLength + dataLength).Size + 1 + nameLength + dataLength;
}

/// <summary>Names of commands, as they stand on the wire.</summary>
internal static class CommandNames
{
    /// <summary>Ends the handshake: READY with metadata.</summary>
    public static ReadOnlySpan<byte> Ready => "READY"u8;

    /// <summary>Refuses the peer during the handshake, with a reason.</summary>
    public static ReadOnlySpan<byte> Error => "ERROR"u8;

    /// <summary>Asks for a PONG: ttl and context.</summary>
    public static ReadOnlySpan<byte> Ping => "PING"u8;

    /// <summary>Answers a PING with its context.</summary>
    public static ReadOnlySpan<byte> Pong => "PONG"u8;

    /// <summary>Subscribes to a topic prefix.</summary>
    public static ReadOnlySpan<byte> Subscribe => "SUBSCRIBE"u8;

    /// <summary>Takes a subscription back.</summary>
    public static ReadOnlySpan<byte> Cancel => "CANCEL"u8;

    /// <summary>Joins a group (48/RADIO-DISH).</summary>
    public static ReadOnlySpan<byte> Join => "JOIN"u8;

    /// <summary>Leaves a group.</summary>
    public static ReadOnlySpan<byte> Leave => "LEAVE"u8;
}
