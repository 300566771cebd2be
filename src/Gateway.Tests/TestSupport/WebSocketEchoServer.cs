using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Gateway.Connections;
using Gateway.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.TestSupport;

/// <summary>
/// Echoes WebSocket messages on real Kestrel by Gateway's own RFC 6455. <c>?chop=1</c>: the server reads one byte at a time.
/// <c>?max=N</c>: largest message. <c>?sub=a,b</c>: supported subprotocols.
/// </summary>
public sealed class WebSocketEchoServer : IAsyncLifetime, IAsyncDisposable
{
    private const long LargestOfAutobahn = 16 * 1024 * 1024;

    private readonly ConcurrentQueue<string> _received = new();
    private readonly Channel<string> _ends = Channel.CreateUnbounded<string>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly WebApplication _app;
    private readonly WebSocketTiming _timing;
    private readonly WebSocketTicker _ticker;

    public WebSocketEchoServer()
        : this(TimeSpan.FromSeconds(10))
    {
    }

    private WebSocketEchoServer(TimeSpan writeTimeout)
    {
        _timing = new WebSocketTiming(
            TimeProvider.System, TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(10), writeTimeout, TimeSpan.FromMilliseconds(100));
        _ticker = new WebSocketTicker(_timing);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // As the gateway listens: plaintext HTTP/1.1 is written straight to the socket.
            kestrel.Listen(IPAddress.Loopback, 0, static listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.UseDirectOutput();
            });
            kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2);
        });
        _app = builder.Build();
        _app.Run(ServeAsync);
    }

    /// <summary>Port for HTTP/1.1.</summary>
    public int Port { get; private set; }

    /// <summary>Port for HTTP/2 without TLS.</summary>
    public int Http2Port { get; private set; }

    /// <summary>How the connections ended, oldest first: kind and code.</summary>
    public ChannelReader<string> Ends => _ends.Reader;

    /// <summary>Messages that reached the application, as opcode and length.</summary>
    public IReadOnlyCollection<string> Received => _received;

    /// <summary>Starts a server of one's own that gives a stalled write this long.</summary>
    public static async Task<WebSocketEchoServer> StartAsync(TimeSpan writeTimeout)
    {
        var server = new WebSocketEchoServer(writeTimeout);
        await server.InitializeAsync();
        return server;
    }

    public async Task InitializeAsync()
    {
        await _app.StartAsync();
        var ports = _app.Urls.Select(url => new Uri(url).Port).ToArray();
        (Port, Http2Port) = (ports[0], ports[1]);
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _app.DisposeAsync();
        _ticker.Dispose();
        _stopping.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var supported = query["sub"].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries);
        if (!WebSocketHandshake.TryCheck(context, supported, requireSubprotocol: supported.Length > 0, out var subprotocol, out var refusal))
        {
            refusal.ApplyTo(context.Response);
            await context.Response.WriteAsync(refusal.Detail);
            return;
        }

        var transport = await WebSocketHandshake.AcceptAsync(context, subprotocol);
        if (query.ContainsKey("chop")) transport = transport with { Stream = new OneByteReadStream(transport.Stream) };
        var limits = new WebSocketLimits(query.TryGetValue("max", out var max) ? long.Parse(max.ToString()) : LargestOfAutobahn);
        using var connection = new WebSocketConnection(transport, limits, _timing, EchoAsync, context.Abort);
        var end = await connection.RunAsync(_ticker, _stopping.Token);
        _ends.Writer.TryWrite($"{end.Kind} {(int)end.Code}");
    }

    private async ValueTask<WebSocketCloseCode> EchoAsync(WebSocketConnection connection, WebSocketOpcode opcode, ReadOnlyMemory<byte> message)
    {
        _received.Enqueue($"{opcode} {message.Length}");
        await connection.SendAsync(opcode, message);
        return WebSocketCloseCode.None;
    }
}
