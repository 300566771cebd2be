using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Gateway.Benchmarks.Load;

/// <summary>What Gateway is compared with: the same web server, answering by itself or streaming from a plain TCP socket.</summary>
internal static class KestrelBaseline
{
    /// <param name="args">The plain TCP port of <c>native/large</c>.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        var sourcePort = int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture);
        var builder = WebApplication.CreateBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        await using var app = builder.Build();
        app.UseWebSockets();
        app.MapPost("/echo", EchoAsync);
        app.MapPost("/large", context => TransferAsync(context, sourcePort));
        app.MapGet("/idle", HoldAsync);
        await app.StartAsync();
        Console.WriteLine($"ready {new Uri(app.Urls.First()).Port}");
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static async Task EchoAsync(HttpContext context)
    {
        context.Response.ContentLength = context.Request.ContentLength;
        context.Response.ContentType = "application/octet-stream";
        await context.Request.BodyReader.CopyToAsync(context.Response.BodyWriter);
    }

    // The same request as Gateway's route gets: a short body is how many bytes to stream down, a long one is streamed up.
    private static async Task TransferAsync(HttpContext context, int sourcePort)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, sourcePort);
        await using var stream = new NetworkStream(socket);
        var order = new byte[9];
        var length = context.Request.ContentLength!.Value;
        if (length >= 1024)
        {
            order[0] = (byte)'u';
            BinaryPrimitives.WriteInt64BigEndian(order.AsSpan(1), length);
            await stream.WriteAsync(order);
            await context.Request.BodyReader.CopyToAsync(stream);
            await stream.ReadExactlyAsync(order.AsMemory(0, 8));
            await context.Response.WriteAsync($"{BinaryPrimitives.ReadInt64BigEndian(order)}");
            return;
        }

        using var text = new StreamReader(context.Request.Body);
        var wanted = long.Parse(await text.ReadToEndAsync(), System.Globalization.CultureInfo.InvariantCulture);
        order[0] = (byte)'d';
        BinaryPrimitives.WriteInt64BigEndian(order.AsSpan(1), wanted);
        await stream.WriteAsync(order);
        context.Response.ContentLength = wanted;
        for (var left = wanted; left > 0;)
        {
            // Straight into the response's own memory: one copy, from the kernel.
            var memory = context.Response.BodyWriter.GetMemory(64 * 1024);
            var read = await stream.ReadAsync(memory[..(int)Math.Min(memory.Length, left)]);
            if (read == 0) throw new LoadException("The source ended early.");
            context.Response.BodyWriter.Advance(read);
            await context.Response.BodyWriter.FlushAsync();
            left -= read;
        }
    }

    private static async Task HoldAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        // An empty buffer waits for data without holding memory for it.
        await socket.ReceiveAsync(Memory<byte>.Empty, context.RequestAborted);
    }
}
