using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Zmtp.Proxies;

namespace Gateway.Devices;

/// <summary>What is shown of one message: a copy, made in the thread that moves it, of the beginnings of its frames.</summary>
internal sealed class TapCapture
{
    private const int MaxFrames = 32;
    private const int MaxBytes = 128 * 1024;

    private readonly ProxyDirection _direction;
    private readonly DateTimeOffset _time;
    private readonly long _length;
    private readonly int _frameCount;
    private readonly byte[] _bytes;
    private readonly (int Shown, long Size)[] _frames;

    private TapCapture(ProxyDirection direction, ProxyMessage message, int maxBytes, DateTimeOffset time, List<TapTurn> turns)
    {
        (_direction, _time, _length, _frameCount, Turns) = (direction, time, message.Length, message.Count, turns);
        _frames = new (int, long)[Math.Min(message.Count, MaxFrames)];
        var total = 0;
        for (var i = 0; i < _frames.Length; i++)
        {
            var shown = Math.Min(Math.Min(message[i].Length, maxBytes), MaxBytes - total);
            _frames[i] = (shown, message.LengthOf(i));
            total += shown;
        }

        _bytes = new byte[total];
        for (int i = 0, at = 0; i < _frames.Length; at += _frames[i++].Shown) message[i][.._frames[i].Shown].CopyTo(_bytes.AsSpan(at));
    }

    /// <summary>Who is to see it.</summary>
    public IReadOnlyList<TapTurn> Turns { get; }

    /// <summary>Bytes that it holds.</summary>
    public int Bytes => _bytes.Length;

    /// <param name="direction">Which way it goes.</param>
    /// <param name="message">The message; read during the call.</param>
    /// <param name="maxBytes">Most bytes shown of a frame.</param>
    /// <param name="time">When it passed.</param>
    /// <param name="turns">Who is to see it.</param>
    public static TapCapture Of(ProxyDirection direction, ProxyMessage message, int maxBytes, DateTimeOffset time, List<TapTurn> turns) =>
        new(direction, message, maxBytes, time, turns);

    /// <summary>The JSON text without its opening brace, for the watcher's own members to stand in front.</summary>
    /// <param name="maxBytes">Bytes shown of a frame.</param>
    public byte[] Describe(int maxBytes)
    {
        var body = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            writer.WriteString("direction"u8, _direction == ProxyDirection.In ? "in"u8 : "out"u8);
            writer.WriteString("time"u8, _time);
            writer.WriteNumber("size"u8, _length);
            writer.WriteNumber("frameCount"u8, _frameCount);
            writer.WriteStartArray("frames"u8);
            var at = 0;
            foreach (var (shown, size) in _frames)
            {
                WriteFrame(writer, _bytes.AsSpan(at, Math.Min(shown, maxBytes)), size);
                at += shown;
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return body.WrittenSpan[1..].ToArray();
    }

    private static void WriteFrame(Utf8JsonWriter writer, ReadOnlySpan<byte> shown, long size)
    {
        writer.WriteStartObject();
        writer.WriteNumber("size"u8, size);
        // A text that the cap cuts inside a character is still a text.
        if (IsText(shown)) writer.WriteString("text"u8, shown);
        else if (shown.Length < size && IsText(WithoutTornEnd(shown))) writer.WriteString("text"u8, WithoutTornEnd(shown));
        else writer.WriteString("hex"u8, Convert.ToHexStringLower(shown));
        if (shown.Length < size) writer.WriteBoolean("truncated"u8, true);
        writer.WriteEndObject();
    }

    private static bool IsText(ReadOnlySpan<byte> bytes)
    {
        foreach (var octet in bytes)
        {
            // Control characters are no text, but for tab, line feed and carriage return.
            if (octet is < 0x20 and not (0x09 or 0x0A or 0x0D) or 0x7F) return false;
        }

        return Utf8.IsValid(bytes);
    }

    private static ReadOnlySpan<byte> WithoutTornEnd(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.Length;
        while (end > Math.Max(0, bytes.Length - 4) && (bytes[end - 1] & 0xC0) == 0x80) end--;
        return end > 0 && bytes[end - 1] >= 0xC0 ? bytes[..(end - 1)] : bytes;
    }
}

/// <summary>A watcher and the number that a message has for it.</summary>
internal readonly record struct TapTurn(TapWatcher Watcher, long Seq);
