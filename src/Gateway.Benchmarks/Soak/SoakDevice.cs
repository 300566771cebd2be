using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Benchmarks.Soak;

/// <summary>
/// Clients of a Queue whose service restarts: every reply is their own, and what gets none was lost with a life of the service.
/// </summary>
internal sealed class SoakDevice(string frontend, SoakAccounts accounts, int seed)
{
    private const int Clients = 4;

    public Task RunAsync(CancellationToken stopping) =>
        Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(() => AskAsync(client, stopping), CancellationToken.None)));

    private async Task AskAsync(int client, CancellationToken stopping)
    {
        await using var dealer = new DealerSocket(new ZmtpOptions { ReceiveTimeout = TimeSpan.FromSeconds(2) });
        dealer.Connect(frontend);
        var random = new Random(seed + client);
        for (var number = 1UL; !stopping.IsCancellationRequested; number++)
        {
            var asked = new SoakBody(((ulong)(client + 1) << 48) | number, random.Next(SoakBody.HeadSize, 200_000), 0, 0);
            var body = asked.Request();
            await dealer.SendAsync(Message.Of(body), CancellationToken.None);
            accounts.Count("device: requests");
            if (!await AnsweredAsync(dealer, asked.Reply(body), asked.Id)) accounts.Count("device: lost with a life of the service");
        }
    }

    private async Task<bool> AnsweredAsync(DealerSocket dealer, byte[] expected, ulong id)
    {
        while (true)
        {
            try
            {
                using var reply = await dealer.ReceiveAsync();
                // A reply that came too late belongs to an earlier request of ours.
                if (reply[0].Length >= sizeof(ulong) && BitConverter.ToUInt64(reply[0].Span) is var other && other < id
                    && other >> 48 == id >> 48) continue;
                if (!reply[0].Span.SequenceEqual(expected)) accounts.Wrong("replies through the device",
                    $"request {id} got {reply[0].Length} bytes that are not its own");
                accounts.Count("device: replies");
                return true;
            }
            catch (TimeoutException)
            {
                return false;
            }
        }
    }
}
