using Zmtp;
using Zmtp.Sockets;

namespace Samples;

/// <summary>PUSH spreads work over PULL workers, which need not know of each other.</summary>
internal static class PushPull
{
    public static async Task RunAsync()
    {
        await using var work = new PushSocket();
        var endpoint = work.Bind("tcp://127.0.0.1:*");
        await using var results = new PullSocket();
        var sink = results.Bind("inproc://results");
        var workers = new[] { WorkAsync(endpoint, sink), WorkAsync(endpoint, sink) };
        for (var n = 1; n <= 6; n++) await work.SendAsync(Message.Of($"{n}"));

        var sum = 0;
        for (var n = 1; n <= 6; n++)
        {
            using var square = await results.ReceiveAsync();
            sum += int.Parse(square.Text(0), System.Globalization.CultureInfo.InvariantCulture);
        }

        // One for each worker says that there is no more.
        foreach (var _ in workers) await work.SendAsync(Message.Of(""));
        await Task.WhenAny(workers);
        Console.WriteLine($"sum of squares: {sum}");
    }

    private static async Task WorkAsync(string source, string sink)
    {
        await using var work = new PullSocket();
        work.Connect(source);
        await using var results = new PushSocket();
        results.Connect(sink);
        while (true)
        {
            using var task = await work.ReceiveAsync();
            if (task[0].IsEmpty) return;
            var n = int.Parse(task.Text(0), System.Globalization.CultureInfo.InvariantCulture);
            await results.SendAsync(Message.Of($"{n * n}"));
        }
    }
}
