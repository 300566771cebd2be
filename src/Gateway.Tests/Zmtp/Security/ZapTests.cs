using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Security;

/// <summary>Who is asked about a peer, in which words, and what becomes of the answer (27/ZAP 1.0).</summary>
public class ZapTests
{
    private const string Handler = "inproc://zeromq.zap.01";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly CurveKeyPair ServerKeys = CurveKeyPair.Generate();
    private readonly Channel<SocketEvent> _events = Channel.CreateUnbounded<SocketEvent>();
    private readonly InprocRegistry _inproc = new();

    [Theory]
    [InlineData("zmtp-null-zap-refused", "")]
    [InlineData("zmtp-plain-ok", "admin secret")]
    public async Task A_ROUTER_handler_gets_the_frames_that_libzmq_sends(string vector, string credentials)
    {
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(SourceTree.PathOf($"src/Gateway.Tests/Vectors/{vector}.json")));
        var expected = json.RootElement.GetProperty("zap")[0].GetProperty("request").EnumerateArray().Select(frame => frame.GetString()!.ToUpperInvariant());
        await using var handler = new RouterSocket(new ZmtpOptions { Inproc = _inproc });
        handler.Bind(Handler);
        await using var server = Serve(credentials.Length == 0 ? "null" : "plain");
        await using var client = Dial(server, credentials.Length == 0 ? [] : credentials.Split(' '));
        using var request = await handler.ReceiveAsync().AsTask().WaitAsync(Patience);
        // The peer's identity and the delimiter come first.
        Assert.Equal(0, request[1].Length);
        Assert.Equal(expected, Enumerable.Range(2, request.Count - 2).Select(i => Convert.ToHexString(request[i].Span)));
    }

    [Fact]
    public async Task Of_a_CURVE_peer_the_handler_learns_the_key_and_the_identity()
    {
        await using var handler = Answer("200", "joe");
        await using var server = Serve("curve");
        var keys = CurveKeyPair.Generate();
        await using var client = Dial(server, "key", keys: keys, identity: "lane 1");
        await AssertReadyAsync(server, "joe");
        var request = Assert.Single(handler.Requests);
        Assert.Equal(["1.0", "1", "global", "127.0.0.1", "lane 1", "CURVE"], request[..6].Select(Encoding.UTF8.GetString));
        Assert.Equal(keys.PublicKey, request[6]);
    }

    [Fact]
    public async Task Of_an_ipc_peer_the_handler_learns_the_process()
    {
        using var directory = new TemporaryDirectory();
        await using var handler = Answer("200", "");
        await using var server = new RepSocket(Options("plain"));
        await using var client = new ReqSocket(Credentials("plain", ["joe", "secret"]));
        client.Connect(server.Bind($"ipc://{directory.File("s")}"));
        await AssertReadyAsync(server, "joe");
        Assert.Matches($@"^localhost:\d+:\d+:{Environment.ProcessId}$", Encoding.UTF8.GetString(handler.Requests.Single()[3]));
    }

    [Fact]
    public async Task The_answers_user_id_and_metadata_become_properties_and_the_peers_own_claims_do_not()
    {
        await using var handler = Answer("200", "joe", [.. ZmtpBytes.Property("Role", "admin"u8.ToArray()), .. ZmtpBytes.Property("Socket-Type", "PUB"u8.ToArray())]);
        await using var server = new RouterSocket(Options("null"));
        await using var peer = await ScriptedPeer.ConnectAsync(server.Bind("tcp://127.0.0.1:*"));
        await peer.SendAsync(ZmtpBytes.Greeting(), ZmtpBytes.Command("READY", ZmtpBytes.Concat(
            ZmtpBytes.Property("Socket-Type", "DEALER"u8.ToArray()), ZmtpBytes.Property("User-Id", "root"u8.ToArray()),
            ZmtpBytes.Property("Role", "guest"u8.ToArray()), ZmtpBytes.Property("X-Own", "kept"u8.ToArray()))));
        var properties = (await AssertReadyAsync(server, "joe")).Properties;
        Assert.Equal(
            ["joe", "admin", "DEALER", "kept"],
            new[] { "User-Id", "Role", "Socket-Type", "X-Own" }.Select(name => Encoding.UTF8.GetString(properties[name]!)));
    }

    [Fact] // libzmq lets a peer's own User-Id through where nobody was asked.
    public async Task A_peer_nobody_was_asked_about_has_no_user_id_whatever_it_says()
    {
        await using var server = new RouterSocket(new ZmtpOptions { Events = Tell });
        await using var peer = await ScriptedPeer.ConnectAsync(server.Bind("tcp://127.0.0.1:*"));
        await peer.SendAsync(ZmtpBytes.Greeting(), ZmtpBytes.Command("READY", ZmtpBytes.Concat(
            ZmtpBytes.Property("Socket-Type", "DEALER"u8.ToArray()), ZmtpBytes.Property("user-id", "root"u8.ToArray()))));
        Assert.Null((await AssertReadyAsync(server, "")).Properties["User-Id"]);
    }

    [Theory]
    [InlineData("300", "", "Unauthorized (300 text)")]
    [InlineData("400", "0405455252", "Unauthorized (400 text)")]
    [InlineData("500", "0405455252", "Unauthorized (500 text)")]
    public async Task A_refusal_closes_the_connection_and_says_its_status_but_for_300(string status, string error, string words)
    {
        await using var handler = Answer(status, "joe");
        await using var server = Serve("plain");
        await using var peer = await ScriptedPeer.ConnectAsync(server.Endpoints[0].Endpoint);
        await peer.SendAsync(ZmtpBytes.Greeting(mechanism: "PLAIN"), ZmtpBytes.Command("HELLO", [3, .. "joe"u8, 1, .. "x"u8]));
        var answer = (await peer.ReceiveToEndAsync())[64..];
        Assert.Equal(error.Length == 0 ? [] : ZmtpBytes.Command("ERROR", [3, .. Encoding.ASCII.GetBytes(status)]), answer);
        Assert.Contains(words, (await NextAsync(SocketEventKind.HandshakeFailed)).Error!.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string[]> Malformed() => new()
    {
        { "6 frames", ["1.0", "1", "200", "OK", "joe"] },
        { "8 frames", ["1.0", "1", "200", "OK", "joe", "", ""] },
        { "version \"1.1\"", ["1.1", "1", "200", "OK", "joe", ""] },
        { "another request's id", ["1.0", "2", "200", "OK", "joe", ""] },
        { "status \"20\"", ["1.0", "1", "20", "OK", "joe", ""] },
        { "status \"201\"", ["1.0", "1", "201", "OK", "joe", ""] },
        { "status \"?[31m\"", ["1.0", "1", "\u001b[31m", "OK", "joe", ""] },
        { "more than 255 bytes", ["1.0", "1", "200", "OK", new string('j', 256), ""] },
        { "metadata that are none", ["1.0", "1", "200", "OK", "joe", "nonsense"] },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task A_malformed_answer_refuses_the_peer(string what, string[] answer)
    {
        await using var handler = new ZapHandler(_inproc, _ => answer.Select(Encoding.UTF8.GetBytes).ToArray());
        await using var server = Serve("plain");
        await using var client = Dial(server, "joe", "secret");
        var failed = Assert.IsType<ZmtpProtocolException>((await NextAsync(SocketEventKind.HandshakeFailed)).Error);
        Assert.Equal(ProtocolError.AuthenticatorFailed, failed.Error);
        Assert.Contains(what, failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_handler_of_another_type_refuses_everybody()
    {
        await using var handler = new PullSocket(new ZmtpOptions { Inproc = _inproc });
        handler.Bind(Handler);
        await using var server = Serve("plain");
        await using var client = Dial(server, "joe", "secret");
        Assert.Contains("bound by a PULL", (await NextAsync(SocketEventKind.HandshakeFailed)).Error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("plain")]
    [InlineData("curve")]
    public async Task Without_anybody_to_decide_nobody_comes_in(string mechanism)
    {
        await using var server = Serve(mechanism);
        await using var client = Dial(server, mechanism switch { "null" => [], "plain" => ["joe", "secret"], _ => ["key"] });
        var failed = Assert.IsType<ZmtpProtocolException>((await NextAsync(SocketEventKind.HandshakeFailed)).Error);
        Assert.Equal(ProtocolError.AuthenticatorFailed, failed.Error);
        Assert.Contains($"nobody decides about {mechanism.ToUpperInvariant()} peers", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_handler_bound_later_lets_the_next_attempt_in()
    {
        await using var server = Serve("curve");
        await using var client = Dial(server, "key");
        await NextAsync(SocketEventKind.HandshakeFailed);
        await using var handler = Answer("200", "joe");
        await AssertReadyAsync(server, "joe");
    }

    [Fact]
    public async Task A_CURVE_server_lets_every_key_in_only_when_it_says_so_and_names_it()
    {
        var options = Options("curve");
        options.CurveAllowAny = true;
        await using var server = new RepSocket(options);
        server.Bind("tcp://127.0.0.1:*");
        var keys = CurveKeyPair.Generate();
        await using var client = Dial(server, "key", keys: keys);
        await AssertReadyAsync(server, Z85.Encode(keys.PublicKey));
    }

    [Fact]
    public async Task A_handler_decides_even_where_every_key_would_be_welcome()
    {
        await using var handler = Answer("400", "");
        var options = Options("curve");
        options.CurveAllowAny = true;
        await using var server = new RepSocket(options);
        server.Bind("tcp://127.0.0.1:*");
        await using var client = Dial(server, "key");
        Assert.Contains("Unauthorized (400", (await NextAsync(SocketEventKind.HandshakeFailed)).Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_an_authenticator_the_handler_is_not_asked()
    {
        await using var handler = Answer("400", "");
        var options = Options("plain");
        options.Authenticator = new Deciding((_, _) => new(new AuthenticationResult(200, "jane")));
        await using var server = new RepSocket(options);
        server.Bind("tcp://127.0.0.1:*");
        await using var client = Dial(server, "joe", "secret");
        await AssertReadyAsync(server, "jane");
        Assert.Empty(handler.Requests);
    }

    [Fact]
    public async Task An_authenticator_that_throws_or_answers_nonsense_refuses_that_peer_alone()
    {
        var options = Options("plain");
        options.Authenticator = new Deciding((request, _) => Encoding.UTF8.GetString(request.Credentials[0]) switch
        {
            "thrower" => throw new InvalidOperationException("out of \u001b[31morder"),
            "nonsense" => new(new AuthenticationResult(201)),
            "nothing" => new((AuthenticationResult)null!),
            "long" => new(new AuthenticationResult(200, new string('x', 256))),
            _ => new(new AuthenticationResult(200)),
        });
        await using var server = new RepSocket(options);
        server.Bind("tcp://127.0.0.1:*");
        foreach (var (user, words) in new[] { ("thrower", "out of ?[31morder"), ("nonsense", "201 is no status"), ("nothing", "NullReference"), ("long", "up to 255 bytes") })
        {
            await using var bad = Dial(server, user, "secret");
            var failed = Assert.IsType<ZmtpProtocolException>((await NextAsync(SocketEventKind.HandshakeFailed)).Error);
            Assert.Equal(ProtocolError.AuthenticatorFailed, failed.Error);
            Assert.Contains(words, failed.Message, StringComparison.Ordinal);
        }

        await using var good = Dial(server, "joe", "secret");
        await AssertReadyAsync(server, "joe");
    }

    [Fact]
    public async Task An_authenticator_that_hangs_costs_that_peer_its_handshake_time_and_others_nothing()
    {
        var time = new ManualTimeProvider();
        var asked = new TaskCompletionSource();
        var options = Options("plain");
        (options.Time, options.HandshakeTimeout) = (time, TimeSpan.FromSeconds(10));
        // It does not look at its token either.
        options.Authenticator = new Deciding(async (request, _) =>
        {
            if (Encoding.UTF8.GetString(request.Credentials[0]) != "slow") return new AuthenticationResult(200);
            asked.TrySetResult();
            await new TaskCompletionSource().Task;
            return new AuthenticationResult(200);
        });
        await using var server = new RepSocket(options);
        server.Bind("tcp://127.0.0.1:*");
        await using var slow = Dial(server, "slow", "secret");
        await asked.Task.WaitAsync(Patience);
        await using var good = Dial(server, "joe", "secret");
        await AssertReadyAsync(server, "joe");
        time.Advance(TimeSpan.FromSeconds(10));
        var failed = Assert.IsType<ZmtpProtocolException>((await NextAsync(SocketEventKind.HandshakeFailed)).Error);
        Assert.Equal(ProtocolError.HandshakeTimeout, failed.Error);
        Assert.Contains("the authenticator did not answer", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_handler_that_does_not_answer_costs_the_peer_its_handshake_time()
    {
        var time = new ManualTimeProvider();
        await using var handler = new RepSocket(new ZmtpOptions { Inproc = _inproc });
        handler.Bind(Handler);
        var options = Options("plain");
        (options.Time, options.HandshakeTimeout) = (time, TimeSpan.FromSeconds(10));
        await using var server = new RepSocket(options);
        server.Bind("tcp://127.0.0.1:*");
        await using var client = Dial(server, "joe", "secret");
        (await handler.ReceiveAsync().AsTask().WaitAsync(Patience)).Dispose();
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(ProtocolError.HandshakeTimeout, Assert.IsType<ZmtpProtocolException>((await NextAsync(SocketEventKind.HandshakeFailed)).Error).Error);
    }

    [Fact]
    public async Task Credentials_are_zero_after_the_decision()
    {
        AuthenticationRequest? seen = null;
        var options = Options("plain");
        options.Authenticator = new Deciding((request, _) =>
        {
            seen = request;
            return new(new AuthenticationResult(200));
        });
        await using var server = new RepSocket(options);
        server.Bind("tcp://127.0.0.1:*");
        await using var client = Dial(server, "joe", "secret");
        await AssertReadyAsync(server, "joe");
        Assert.Equal(new byte[6], seen!.Credentials[1]);
    }

    private RepSocket Serve(string mechanism)
    {
        var server = new RepSocket(Options(mechanism));
        server.Bind("tcp://127.0.0.1:*");
        return server;
    }

    private ZmtpOptions Options(string mechanism) => new()
    {
        PlainServer = mechanism == "plain",
        CurveServer = mechanism == "curve",
        CurveKeys = mechanism == "curve" ? ServerKeys : null,
        ZapDomain = "global",
        Inproc = _inproc,
        Events = Tell,
    };

    private static ReqSocket Dial(RepSocket server, params string[] credentials) => Dial(server, credentials.Length switch { 0 => "null", 1 => "key", _ => "plain" }, credentials);

    private static ReqSocket Dial(RepSocket server, string mechanism, string[]? credentials = null, CurveKeyPair? keys = null, string identity = "")
    {
        var client = new ReqSocket(Credentials(mechanism, credentials ?? [], keys, identity));
        client.Connect(server.Endpoints[0].Endpoint);
        return client;
    }

    private static ZmtpOptions Credentials(string mechanism, string[] credentials, CurveKeyPair? keys = null, string identity = "")
    {
        var options = new ZmtpOptions { Identity = Encoding.UTF8.GetBytes(identity) };
        if (mechanism == "plain") (options.PlainUserName, options.PlainPassword) = (credentials[0], credentials[1]);
        if (mechanism == "key") (options.CurveKeys, options.CurveServerKey) = (keys ?? CurveKeyPair.Generate(), ServerKeys.PublicKey);
        return options;
    }

    private ZapHandler Answer(string status, string user, byte[]? metadata = null) =>
        new(_inproc, _ => ["1.0"u8.ToArray(), "1"u8.ToArray(), Encoding.ASCII.GetBytes(status), "text"u8.ToArray(), Encoding.UTF8.GetBytes(user), metadata ?? []]);

    private async Task<Peer> AssertReadyAsync(ZmtpSocket server, string user)
    {
        await NextAsync(SocketEventKind.Ready);
        var peer = server.Endpoints.Single(endpoint => endpoint.Role == EndpointRole.Accepted).Peer!;
        Assert.Equal(user, peer.UserId);
        return peer;
    }

    private void Tell(SocketEvent e) => _events.Writer.TryWrite(e);

    private async Task<SocketEvent> NextAsync(SocketEventKind kind)
    {
        while (true)
        {
            var next = await _events.Reader.ReadAsync().AsTask().WaitAsync(Patience);
            if (next.Kind == kind) return next;
        }
    }

    private sealed class Deciding(Func<AuthenticationRequest, CancellationToken, ValueTask<AuthenticationResult>> decide) : IAuthenticator
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) => decide(request, cancellationToken);
    }
}
