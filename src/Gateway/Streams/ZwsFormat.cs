using System.Buffers;
using Gateway.Configuration;
using Gateway.WebSockets;

namespace Gateway.Streams;

/// <summary>Encodes for ZeroMQ peers over WebSocket (ZWS 2.0): every frame of a message is a WebSocket message of flags and body.</summary>
/// <remarks>NULL, PLAIN and bare share it, for a server's frames are not masked and so the same for all.</remarks>
internal class ZwsFormat(WebRouteOptions options, StreamCounters counters) : StreamFormat(options, counters)
{
    private const int OnStack = 512;

    /// <inheritdoc/>
    public override bool Append(AudienceLog log, scoped in StreamMessage message)
    {
        Rule.Apply(message, out var topic, out _);
        var last = message.FrameCount - 1;
        // Everything before the last body is put together: usually a short topic.
        var size = 0;
        for (var i = 0; i < last; i++) size += WebSocketFrames.MaxHeaderSize + 1 + message.Frame(i).Length;
        size += WebSocketFrames.MaxHeaderSize + 1;
        var rented = size > OnStack ? ArrayPool<byte>.Shared.Rent(size) : null;
        var head = rented ?? stackalloc byte[OnStack];
        var length = 0;
        for (var i = 0; i < last; i++)
        {
            var frame = message.Frame(i);
            length += WriteHead(head[length..], frame.Length, more: true);
            frame.CopyTo(head[length..]);
            length += frame.Length;
        }

        length += WriteHead(head[length..], message.Frame(last).Length, more: false);
        var hasRoom = log.Append(head[..length], message.Frame(last), topic);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return hasRoom;
    }

    /// <summary>Writes what stands before a body: the WebSocket header and the flags.</summary>
    protected static int WriteHead(Span<byte> output, int bodyLength, bool more)
    {
        var length = WebSocketFrames.WriteHeader(output, WebSocketOpcode.Binary, bodyLength + 1L);
        output[length] = more ? (byte)1 : (byte)0;
        return length + 1;
    }
}
