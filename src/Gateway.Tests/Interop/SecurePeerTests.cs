using System.Text;
using System.Threading.Channels;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;

namespace Gateway.Tests.Interop;

/// <summary>PLAIN and CURVE with real libzmq sockets where the mechanism's server connects, and what is refused; the rest is in <see cref="InteropMatrixTests"/>.</summary>
public class SecurePeerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly CurveKeyPair ServerKeys = CurveKeyPair.Generate();
    private readonly Channel<SocketEvent> _events = Channel.CreateUnbounded<SocketEvent>();
    private readonly ListAuthenticator _authenticator = new("joe", "secret");

    [Theory]
    [InlineData("plain", "tcp")]
    [InlineData("plain", "ws")]
    [InlineData("curve", "tcp")]
    [InlineData("curve", "ws")]
    public async Task We_are_the_client_of_a_libzmq_server_that_connects_to_us(string mechanism, string transport)
    {
        await using var socket = new ReqSocket(Client(mechanism));
        await using var peer = await JoinAsync(socket, TheirServer(mechanism), "REP", "connect", transport);
        for (var i = 0; i < StandardMessages.Count; i++)
        {
            using var reply = await socket.RequestAsync(StandardMessages.Make(i)).AsTask().WaitAsync(Patience);
            Assert.Equal(StandardMessages.Descriptions()[i], StandardMessages.Describe(reply));
        }
    }

    [Theory]
    [InlineData("plain", "tcp")]
    [InlineData("plain", "ws")]
    [InlineData("curve", "tcp")]
    [InlineData("curve", "ws")]
    public async Task We_are_the_server_of_a_libzmq_client_that_binds(string mechanism, string transport)
    {
        await using var socket = new RepSocket(Server(mechanism));
        await using var peer = await JoinAsync(socket, TheirClient(mechanism), "REQ", "bind", transport);
        for (var i = 0; i < StandardMessages.Count; i++)
        {
            Assert.True(socket.Send(await socket.ReceiveAsync().AsTask().WaitAsync(Patience)));
            Assert.Equal("ok", await peer.NextLineAsync());
        }
    }

    [Fact]
    public async Task A_wrong_password_is_refused_by_libzmq_and_the_refusal_understood()
    {
        var options = Client("plain");
        options.PlainPassword = "guess";
        await using var socket = new ReqSocket(options);
        await using var peer = await JoinAsync(socket, TheirServer("plain"), "REP", "bind");
        var failed = await NextAsync(SocketEventKind.HandshakeFailed);
        Assert.Contains("RefusedByPeer (400)", failed.Error!.Message, StringComparison.Ordinal);
        await NextAsync(SocketEventKind.Retrying);
        Assert.Equal(EndpointPhase.Refused, Assert.Single(socket.Endpoints).Phase);
    }

    [Theory]
    [InlineData("plain-client joe guess")]
    [InlineData("curve-client other")]
    public async Task A_libzmq_client_that_may_not_come_in_gets_nothing_through(string security)
    {
        var mechanism = security[..5];
        await using var socket = new RepSocket(Server(mechanism));
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        if (mechanism == "curve") security = $"curve-client {Z85.Encode(CurveKeyPair.Generate().PublicKey)}";
        await using var peer = await PeerProcess.StartSecureAsync(security, "REQ", "connect", endpoint);
        await NextAsync(SocketEventKind.HandshakeFailed);
        var receiving = socket.ReceiveAsync().AsTask();
        Assert.False(receiving.IsCompleted);
    }

    [Fact]
    public async Task A_peer_without_security_is_closed_before_anything_of_it_is_read()
    {
        await using var socket = new PullSocket(Server("curve"));
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        await using var peer = await PeerProcess.StartSecureAsync("none", "PUSH", "connect", endpoint);
        // Both sides see that the mechanisms differ; which one closes first is a race.
        await NextAsync(SocketEventKind.HandshakeFailed);
        Assert.False(socket.TryReceive(out _));
    }

    [Fact]
    public async Task The_authenticator_is_told_who_asks()
    {
        await using var socket = new RepSocket(Server("plain"));
        await using var peer = await JoinAsync(socket, TheirClient("plain"), "REQ", "connect");
        (await socket.ReceiveAsync().AsTask().WaitAsync(Patience)).Dispose();
        var request = Assert.Single(_authenticator.Requests);
        Assert.Equal(("PLAIN", "127.0.0.1"), (request.Mechanism, request.Address));
    }

    private static string TheirServer(string mechanism) => mechanism == "plain" ? "plain-server joe secret" : $"curve-server {Z85.Encode(ServerKeys.SecretKey)}";

    private static string TheirClient(string mechanism) => mechanism == "plain" ? "plain-client joe secret" : $"curve-client {Z85.Encode(ServerKeys.PublicKey)}";

    private static async Task<PeerProcess> JoinAsync(ZmtpSocket socket, string security, string theirType, string theirRole, string transport = "tcp")
    {
        var endpoint = $"{transport}://127.0.0.1:*";
        if (theirRole == "connect") return await PeerProcess.StartSecureAsync(security, theirType, "connect", socket.Bind(endpoint), "500");
        var bound = await PeerProcess.StartSecureAsync(security, theirType, "bind", endpoint, "500");
        socket.Connect(bound.Endpoint);
        return bound;
    }

    private ZmtpOptions Client(string mechanism) => mechanism == "plain"
        ? new ZmtpOptions { PlainUserName = "joe", PlainPassword = "secret", Events = Tell }
        : new ZmtpOptions { CurveKeys = CurveKeyPair.Generate(), CurveServerKey = ServerKeys.PublicKey, Events = Tell };

    private ZmtpOptions Server(string mechanism) => new()
    {
        PlainServer = mechanism == "plain",
        CurveServer = mechanism == "curve",
        CurveKeys = mechanism == "curve" ? ServerKeys : null,
        Authenticator = _authenticator,
        Events = Tell,
    };

    private void Tell(SocketEvent e) => _events.Writer.TryWrite(e);

    private async Task<SocketEvent> NextAsync(SocketEventKind kind)
    {
        while (true)
        {
            var next = await _events.Reader.ReadAsync().AsTask().WaitAsync(Patience);
            if (next.Kind == kind) return next;
        }
    }

    private sealed class ListAuthenticator(string user, string password) : IAuthenticator
    {
        public List<AuthenticationRequest> Requests { get; } = [];

        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken)
        {
            Requests.Add(request);
            var accepted = request.Mechanism == "CURVE" || (Encoding.UTF8.GetString(request.Credentials[0]) == user && Encoding.UTF8.GetString(request.Credentials[1]) == password);
            return new(new AuthenticationResult(accepted ? 200 : 400));
        }
    }
}
