using System.Text;
using System.Text.Unicode;
using Zmtp.Security;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>Asks the ZAP handler of an application: a REP or ROUTER socket of ours, bound to a well-known inproc name (27/ZAP 1.0).</summary>
internal static class ZapClient
{
    /// <summary>Where a handler is bound.</summary>
    public const string Endpoint = "inproc://zeromq.zap.01";

    private const string Name = "zeromq.zap.01";
    private const string Version = "1.0";

    // libzmq's too: every request has a connection to the handler of its own, so there is nothing to tell apart.
    private const string RequestId = "1";
    private const int ReplyFrames = 7;

    /// <summary>What is bound to the name; null for nothing.</summary>
    public static InprocListener? HandlerOf(InprocRegistry inproc) => inproc.Find(Name, out _);

    /// <summary>Asks and waits for the answer. A malformed one is a failure, which refuses the peer.</summary>
    public static async Task<AuthenticationResult> AskAsync(ZmtpOptions options, InprocListener handler, AuthenticationRequest request, CancellationToken cancellationToken)
    {
        if (handler.Set.Type is not (SocketType.Rep or SocketType.Router))
            return AuthenticationResult.Failure($"the ZAP handler failed: {Endpoint} is bound by a {handler.Set.Type.Name()}, not by a REP or ROUTER");
        await using var socket = new DealerSocket(new ZmtpOptions { Inproc = options.Inproc, Time = options.Time, Linger = TimeSpan.Zero });
        socket.Connect(Endpoint);
        await socket.SendAsync(Request(request), cancellationToken);
        using var reply = await socket.ReceiveAsync(cancellationToken);
        return Read(reply);
    }

    private static Message Request(AuthenticationRequest request)
    {
        var message = Message.Of("", Version, RequestId, request.Domain, request.Address);
        message.Add(request.Identity);
        message.Add(Encoding.ASCII.GetBytes(request.Mechanism));
        foreach (var credential in request.Credentials) message.Add(credential);
        return message;
    }

    private static AuthenticationResult Read(Message reply)
    {
        if (reply.Count != ReplyFrames) return Malformed($"{reply.Count} frames, not {ReplyFrames}");
        if (reply[0].Length > 0) return Malformed("no empty delimiter");
        if (!reply[1].Span.SequenceEqual("1.0"u8)) return Malformed($"version \"{NullMechanism.Printable(reply[1].Span)}\"");
        if (!reply[2].Span.SequenceEqual("1"u8)) return Malformed("another request's id");
        var status = reply[3].Span switch
        {
            var text when text.SequenceEqual("200"u8) => 200,
            var text when text.SequenceEqual("300"u8) => 300,
            var text when text.SequenceEqual("400"u8) => 400,
            var text when text.SequenceEqual("500"u8) => 500,
            _ => 0,
        };
        if (status == 0) return Malformed($"status \"{NullMechanism.Printable(reply[3].Span)}\"");
        if (reply[4].Length > byte.MaxValue || reply[5].Length > byte.MaxValue) return Malformed("a text of more than 255 bytes");
        // Text that is none would be read as something else, and two users might become one.
        if (!Utf8.IsValid(reply[5].Span)) return Malformed("a user id that is no UTF-8");
        if (Metadata.TryParse(reply[6].Span, out var properties) != ProtocolError.None) return Malformed("metadata that are none");
        return new AuthenticationResult(status, reply.Text(5), reply.Text(4), properties);
    }

    private static AuthenticationResult Malformed(string what) => AuthenticationResult.Failure($"the ZAP handler's reply is malformed: {what}");
}
