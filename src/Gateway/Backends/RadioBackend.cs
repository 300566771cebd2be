using Gateway.Configuration;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Backends;

/// <summary>A RADIO backend: the first frame is the group; the second goes to each peer that joined it, or as a datagram to whoever listens.</summary>
internal sealed class RadioBackend(string name, BackendOptions options, ZmtpOptions socket, BackendLog log)
    : SocketBackend<RadioSocket>(name, options, socket, log, static o => new RadioSocket(o)), IPublisher
{
    /// <summary>As PUB: without a listener a message is dropped, as the pattern says.</summary>
    public override bool IsReady => base.IsReady || Endpoints.Any(e => e.State == "listening");

    /// <inheritdoc/>
    public ValueTask<int> SendAsync<TState>(TState state, Action<TState, IFrameWriter> write, CancellationToken cancellationToken)
    {
        using var message = Message.Create();
        write(state, message);
        if (message.Count == 1) throw new BackendException(400, "bad-group", $"Backend '{Name}' is a RADIO: a message needs a group, as the path's or the query's topic.");
        if (message.Count != 2) throw new BackendException(400, "not-one-frame", $"Backend '{Name}' is a RADIO: a message is a group and one frame, not {message.Count} frames.");
        var group = message[0];
        if (group.Length > RadioSocket.MaxGroupLength || group.Span.Contains((byte)0))
            throw new BackendException(400, "bad-group", $"A group has at most {RadioSocket.MaxGroupLength} bytes as UTF-8, none of them zero.");
        var body = Message.Create();
        body.Add(message[1].Span);
        try
        {
            return new(ZmtpSocket.Send(group.Span, body));
        }
        catch (ArgumentException e)
        {
            // What is left that it can refuse: the size of a datagram.
            body.Dispose();
            throw new BackendException(413, "datagram-too-large", e.Message, e);
        }
    }
}
