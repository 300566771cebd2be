using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Streams;

/// <summary>Takes what one peer sends and hands whole messages to the hub, from the peer's read loop.</summary>
/// <remarks>A message of one frame is used where it lies; of several whole frames only those before the last are copied.</remarks>
internal sealed class HubSink(TopicHub hub, long maxMessageBytes) : IFrameSink
{
    private readonly MessageAssembly _assembly = new(maxMessageBytes);

    /// <inheritdoc/>
    public bool Accept(in FramePart part)
    {
        if (_assembly.Refuses(part.IsFirst ? part.FrameLength : 0))
        {
            if (part.EndsMessage)
            {
                _assembly.Reset();
                hub.CountOversize();
            }
        }
        else if (part.EndsMessage)
        {
            Publish(part);
        }
        else
        {
            _assembly.Add(part.Bytes, endsFrame: part.IsLast);
        }

        return !hub.IsPaused;
    }

    /// <inheritdoc/>
    public ValueTask WhenReadyAsync(CancellationToken stopping) => hub.WhenResumedAsync(stopping);

    /// <inheritdoc/>
    public void BatchEnd() => hub.Flush();

    /// <inheritdoc/>
    public void Closed(Exception? reason)
    {
        // A message that was not ended is lost; it was never shown to anybody.
        _assembly.Dispose();
        hub.Flush();
    }

    private void Publish(in FramePart part)
    {
        if (part.IsWhole && _assembly.IsEmpty)
        {
            hub.Publish(new StreamMessage(part.Bytes));
            return;
        }

        if (part.IsWhole)
        {
            hub.Publish(new StreamMessage(_assembly, new FrameBytes(part.Bytes)));
        }
        else
        {
            _assembly.Add(part.Bytes, endsFrame: true);
            hub.Publish(new StreamMessage(_assembly, _assembly.TakeLastFrame()));
        }

        _assembly.Reset();
    }
}
