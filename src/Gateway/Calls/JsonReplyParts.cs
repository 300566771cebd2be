using System.Text.Json;
using System.Text.Unicode;
using Gateway.Templates;
using Zmtp.Wire;

namespace Gateway.Calls;

/// <summary>
/// The frames as a JSON array. A frame is the JSON value it holds when the media type is JSON and it parses, else a string when it is UTF-8,
/// else <c>{"data64":"…"}</c>.
/// </summary>
internal sealed class JsonReplyParts(bool framesAreJson) : ReplyParts
{
    /// <summary>Most bytes of all frames together: they lie in memory until the array is written.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    private readonly PooledBuffer _frames = new();
    private readonly List<int> _ends = [];

    public override string? ContentType => null;

    public override void Write(in FramePart part, CallReply reply)
    {
        if (part.FrameLength > MaxBytes - _frames.Length)
        {
            reply.Fail($"has more than {MaxBytes} bytes, too many for a JSON array; accept multipart/mixed");
            return;
        }

        part.Bytes.CopyTo(_frames.GetSpan(part.Bytes.Length));
        _frames.Advance(part.Bytes.Length);
        if (part.IsLast) _ends.Add(_frames.Length);
    }

    public override void End(CallReply reply)
    {
        var output = new PooledBuffer();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartArray();
            var start = 0;
            foreach (var end in _ends)
            {
                WriteFrame(json, _frames.Written[start..end]);
                start = end;
            }

            json.WriteEndArray();
        }

        reply.WriteWhole(output.Written, "application/json");
        output.Reset();
        _frames.Reset();
    }

    private void WriteFrame(Utf8JsonWriter json, ReadOnlySpan<byte> frame)
    {
        if (framesAreJson && IsOneValue(frame))
        {
            json.WriteRawValue(frame, skipInputValidation: true);
            return;
        }

        if (Utf8.IsValid(frame))
        {
            json.WriteStringValue(frame);
            return;
        }

        json.WriteStartObject();
        json.WriteBase64String("data64", frame);
        json.WriteEndObject();
    }

    private static bool IsOneValue(ReadOnlySpan<byte> frame)
    {
        try
        {
            var reader = new Utf8JsonReader(frame);
            if (!reader.Read()) return false;
            reader.Skip();
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
