using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using System.Threading.Channels;
using Zmtp.Proxies;

namespace Gateway.Devices;

/// <summary>One who watches a device: messages become JSON in the thread that moves them, at most so many a second and so many bytes of each frame.</summary>
/// <remarks>What comes too fast, or finds the watcher's connection behind, is skipped; the next message shown says how many were.</remarks>
internal sealed class TapWatcher(int maxBytes, int perSecond, TimeProvider time)
{
    private const int MaxWaiting = 256;
    private const int MaxFrames = 32;

    private readonly Lock _gate = new();
    private readonly Channel<byte[]> _shown = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private long _second = time.GetTimestamp();
    private int _inSecond;
    private long _seen;
    private long _skipped;

    /// <summary>What to send, oldest first; ends with the device.</summary>
    public ChannelReader<byte[]> Shown => _shown.Reader;

    /// <summary>Nothing more is shown.</summary>
    public void End() => _shown.Writer.TryComplete();

    /// <summary>A message passes.</summary>
    public void Offer(ProxyDirection direction, ProxyMessage message)
    {
        lock (_gate)
        {
            _seen++;
            if (!IsInRate() || !_shown.Writer.TryWrite(Describe(direction, message)))
            {
                _skipped++;
                return;
            }

            _inSecond++;
            _skipped = 0;
        }
    }

    private bool IsInRate()
    {
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(_second, now) >= TimeSpan.FromSeconds(1)) (_second, _inSecond) = (now, 0);
        return _inSecond < perSecond;
    }

    private byte[] Describe(ProxyDirection direction, ProxyMessage message)
    {
        var body = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            writer.WriteString("direction"u8, direction == ProxyDirection.In ? "in"u8 : "out"u8);
            writer.WriteNumber("seq"u8, _seen);
            writer.WriteString("time"u8, time.GetUtcNow());
            writer.WriteNumber("size"u8, message.Length);
            writer.WriteNumber("skipped"u8, _skipped);
            writer.WriteNumber("frameCount"u8, message.Count);
            writer.WriteStartArray("frames"u8);
            for (var i = 0; i < Math.Min(message.Count, MaxFrames); i++) WriteFrame(writer, message[i], message.LengthOf(i));
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return body.WrittenSpan.ToArray();
    }

    private void WriteFrame(Utf8JsonWriter writer, ReadOnlySpan<byte> bytes, long size)
    {
        var shown = bytes[..Math.Min(bytes.Length, maxBytes)];
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
