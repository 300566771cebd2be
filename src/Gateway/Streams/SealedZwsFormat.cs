using System.Buffers;
using Gateway.Configuration;
using Zmtp.Sockets;

namespace Gateway.Streams;

/// <summary>Encodes for one CURVE peer: each frame is encrypted with that connection's keys, so its audience is itself.</summary>
/// <remarks>Under the lock of the hub, so frames are sealed in the order in which they are appended; what is dropped later leaves a gap in the nonces, which CURVE allows.</remarks>
internal sealed class SealedZwsFormat(WebRouteOptions options, StreamCounters counters, WebSocketSession session) : ZwsFormat(options, counters)
{
    /// <inheritdoc/>
    public override bool Append(AudienceLog log, scoped in StreamMessage message)
    {
        Rule.Apply(message, out var topic, out _);
        var size = 0;
        for (var i = 0; i < message.FrameCount; i++) size += MaxHead + session.SealedLength(message.Frame(i).Length);
        var buffer = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            var length = 0;
            for (var i = 0; i < message.FrameCount; i++)
            {
                var frame = message.Frame(i);
                var sealedLength = session.SealedLength(frame.Length);
                // More stands inside the box.
                length += WriteHead(buffer.AsSpan(length), sealedLength, more: false);
                if (!Seal(frame, more: i < message.FrameCount - 1, buffer.AsSpan(length, sealedLength))) return true;
                length += sealedLength;
            }

            return log.Append(buffer.AsSpan(0, length), default, topic);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private const int MaxHead = WebSockets.WebSocketFrames.MaxHeaderSize + 1;

    private bool Seal(in FrameBytes frame, bool more, Span<byte> output)
    {
        if (frame.IsSinglePiece) return session.TrySeal(frame.Span, more, output);
        var whole = ArrayPool<byte>.Shared.Rent(frame.Length);
        frame.CopyTo(whole);
        var isSealed = session.TrySeal(whole.AsSpan(0, frame.Length), more, output);
        ArrayPool<byte>.Shared.Return(whole);
        return isSealed;
    }
}
