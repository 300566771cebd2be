using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>Takes what a peer of a send-only socket should not have sent; the connection closes when it goes on.</summary>
internal sealed class DiscardingSink : IFrameSink
{
    private const int MaxMessages = 100;
    private int _messages;

    public bool Accept(in FramePart part)
    {
        if (part.EndsMessage && ++_messages > MaxMessages) throw new ZmtpProtocolException(ProtocolError.UnexpectedMessage);
        return true;
    }

    public ValueTask WhenReadyAsync(CancellationToken stopping) => default;

    public void BatchEnd()
    {
        // Nothing was kept.
    }

    public void Closed(Exception? reason)
    {
        // Nothing was kept.
    }
}
