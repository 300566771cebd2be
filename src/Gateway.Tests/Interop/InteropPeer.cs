using System.Text.Json;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Interop;

/// <summary>A library's process that serves one case of the matrix after the other. It is started by the first, and again after one that failed.</summary>
public abstract class InteropPeer : IAsyncDisposable
{
    private static readonly CurveKeyPair ServerKeys = CurveKeyPair.Generate();
    private readonly string _library;
    private readonly TemporaryDirectory _folder = new();
    private PeerProcess? _process;
    private int _cases;

    private protected InteropPeer(string library) => _library = library;

    /// <summary>The library's version and that of its binding.</summary>
    public string Versions { get; private set; } = "";

    /// <summary>Plays one case. Every message has to arrive, whole and in order, on both sides.</summary>
    internal async Task PlayAsync(InteropCase test)
    {
        var process = await StartAsync();
        try
        {
            await using var socket = Make(test);
            var endpoint = test.Transport switch
            {
                "ipc" => $"ipc://{_folder.File($"{++_cases}")}",
                _ => $"{test.Transport}://127.0.0.1:*",
            };
            if (test.Role == "connect") endpoint = socket.Bind(endpoint);
            await process.SayAsync(Describe(test, endpoint));
            var ready = await process.NextLineAsync();
            Assert.StartsWith("ready ", ready, StringComparison.Ordinal);
            if (test.Role == "bind") socket.Connect(ready["ready ".Length..]);
            await ConverseAsync(test, socket, process);
            await process.SayAsync("end");
        }
        catch
        {
            // What it says next would be about this case.
            _process = null;
            await process.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts the process if there is none.</summary>
    internal async Task<PeerProcess> StartAsync()
    {
        if (_process is not null) return _process;
        _process = PeerProcess.StartMatrix(_library);
        var versions = await _process.NextLineAsync();
        Assert.StartsWith("versions ", versions, StringComparison.Ordinal);
        Versions = versions["versions ".Length..];
        return _process;
    }

    private static async Task ConverseAsync(InteropCase test, ZmtpSocket socket, PeerProcess process)
    {
        var conversation = new InteropConversation(test, socket);
        await conversation.PlayAsync(() => process.SayAsync("go"));
        var got = new List<string>();
        string line;
        while ((line = await process.NextLineAsync()).StartsWith("got ", StringComparison.Ordinal)) got.Add(line["got ".Length..]);
        Assert.Equal("done", line);
        var expected = test.Sizes.Select(InteropConversation.Describe);
        Assert.Equal(expected, test.Flow is "ask" or "collect" ? got : conversation.Received);
    }

    private static string Describe(InteropCase test, string endpoint)
    {
        // Whoever binds is the mechanism's server; the other way round is in SecurePeerTests.
        var key = test.Role == "bind" ? Z85.Encode(ServerKeys.SecretKey) : Z85.Encode(ServerKeys.PublicKey);
        var security = test.Mechanism == "NULL" ? null : (string[])[test.Mechanism.ToLowerInvariant(), test.Role == "bind" ? "server" : "client", key];
        return JsonSerializer.Serialize(new
        {
            type = test.Theirs.Name(), peer = test.Ours.Name(), role = test.Role, endpoint, flow = test.Flow, sizes = test.Sizes, security,
        });
    }

    /// <summary>Our socket of a case.</summary>
    internal static ZmtpSocket Make(InteropCase test, Action<SocketEvent>? events = null)
    {
        var options = new ZmtpOptions
        {
            Events = events,
            // For the types that have one.
            Identity = test.Ours is SocketType.Req or SocketType.Rep or SocketType.Dealer or SocketType.Router ? "ours"u8.ToArray() : [], ReconnectMin = TimeSpan.FromMilliseconds(5), Authenticator = new AcceptingAuthenticator(),
            PlainServer = test is { Mechanism: "PLAIN", Role: "connect" }, PlainUserName = test is { Mechanism: "PLAIN", Role: "bind" } ? "joe" : null, PlainPassword = "secret",
            CurveServer = test is { Mechanism: "CURVE", Role: "connect" }, CurveServerKey = test is { Mechanism: "CURVE", Role: "bind" } ? ServerKeys.PublicKey : null,
            CurveKeys = ServerKeys,
        };
        ZmtpSocket socket = test.Ours switch
        {
            SocketType.Req => new ReqSocket(options),
            SocketType.Rep => new RepSocket(options),
            SocketType.Dealer => new DealerSocket(options),
            SocketType.Router => new RouterSocket(options),
            SocketType.Pub => new PubSocket(options),
            SocketType.Sub => new SubSocket(options),
            SocketType.XPub => new XPubSocket(options),
            SocketType.XSub => new XSubSocket(options),
            SocketType.Push => new PushSocket(options),
            SocketType.Pull => new PullSocket(options),
            SocketType.Client => new ClientSocket(options),
            SocketType.Server => new ServerSocket(options),
            SocketType.Radio => new RadioSocket(options),
            SocketType.Dish => new DishSocket(options),
            SocketType.Scatter => new ScatterSocket(options),
            SocketType.Gather => new GatherSocket(options),
            _ => new PairSocket(options),
        };
        (socket as SubscribingSocket)?.Subscribe("");
        (socket as DishSocket)?.Join(InteropConversation.Group);
        return socket;
    }

    private sealed class AcceptingAuthenticator : IAuthenticator
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
            new(new AuthenticationResult(request.Mechanism == "CURVE" || request.Credentials[0].AsSpan().SequenceEqual("joe"u8) ? 200 : 400));
    }
}

/// <summary>Debian's libzmq by python3-zmq.</summary>
public sealed class PythonPeer() : InteropPeer("python");

/// <summary>The libzmq that npm zeromq brings, with the draft types.</summary>
public sealed class NodePeer() : InteropPeer("node");

/// <summary>jszmq in Node, which has ws without a mechanism.</summary>
public sealed class JsPeer() : InteropPeer("jszmq");
