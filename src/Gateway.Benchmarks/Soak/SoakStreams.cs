using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.WebSockets;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Benchmarks.Soak;

/// <summary>
/// A publisher that restarts, subscribers that stay, come and go. Numbered messages and the policy Disconnect make the account: from the
/// first message that a subscriber gets in a life of the publisher on, what was sent to it was received, or the publisher counted it as
/// dropped.
/// </summary>
internal sealed class SoakStreams(Uri stream, string endpoint, SoakAccounts accounts, int seed)
{
    private const int Staying = 16;
    private const int Joining = 8;
    private const int MessageBytes = 1024;
    private readonly ConcurrentDictionary<long, (long Sent, long Dropped)> _lives = new();
    private readonly ConcurrentQueue<Span> _spans = new();

    public async Task RunAsync(CancellationToken stopping)
    {
        using var leaving = new CancellationTokenSource();
        var subscribers = Enumerable.Range(0, Staying + Joining)
            .Select(number => Task.Run(() => SubscribeAsync(number >= Staying, new Random(seed + number), leaving.Token),
                CancellationToken.None)).ToArray();
        await PublishAsync(new Random(seed), stopping);
        await leaving.CancelAsync();
        await Task.WhenAll(subscribers);
        Check();
    }

    private async Task PublishAsync(Random random, CancellationToken stopping)
    {
        for (var life = 1L; !stopping.IsCancellationRequested; life++)
        {
            await using var publisher = new PubSocket(new ZmtpOptions { Linger = TimeSpan.FromSeconds(5) });
            publisher.Bind(endpoint);
            var body = new byte[MessageBytes];
            BinaryPrimitives.WriteInt64LittleEndian(body, life);
            var sent = 0L;
            var end = DateTime.UtcNow + TimeSpan.FromMilliseconds(random.Next(4000, 12_000));
            using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
            while (DateTime.UtcNow < end && !stopping.IsCancellationRequested && await ticks.WaitForNextTickAsync(CancellationToken.None))
            {
                for (var i = 0; i < 5; i++)
                {
                    BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(8), sent++);
                    publisher.Send(Message.Of("topic"u8.ToArray(), body));
                }
            }

            // The last messages are with their readers before the connection ends: this account is not about what a killed publisher had in
            // its kernel.
            await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
            _lives[life] = (sent, publisher.Dropped);
            accounts.Count("streams: published", sent);
            accounts.Count("streams: lives of the publisher");
        }
    }

    private async Task SubscribeAsync(bool leaves, Random random, CancellationToken leaving)
    {
        while (!leaving.IsCancellationRequested)
        {
            using var socket = new ClientWebSocket();
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(leaving);
            if (leaves) ending.CancelAfter(random.Next(100, 4000));
            var spans = new Dictionary<long, Span>();
            try
            {
                await socket.ConnectAsync(stream, ending.Token);
                accounts.Count("streams: subscriptions");
                await ReadAsync(socket, spans, ending.Token);
                accounts.Count($"streams: closed with {(int?)socket.CloseStatus}");
            }
            catch (Exception e) when (e is OperationCanceledException or WebSocketException)
            {
                if (e is WebSocketException && !ending.IsCancellationRequested) accounts.Wrong("subscribers that were cut off", e.Message);
            }

            foreach (var span in spans.Values) _spans.Enqueue(span with { SawNext = spans.ContainsKey(span.Life + 1) });
        }
    }

    private async Task ReadAsync(ClientWebSocket socket, Dictionary<long, Span> spans, CancellationToken ending)
    {
        var buffer = new byte[MessageBytes * 2];
        while (true)
        {
            var received = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                result = await socket.ReceiveAsync(buffer.AsMemory(received), ending);
                received += result.Count;
            }
            while (!result.EndOfMessage);
            if (result.MessageType == WebSocketMessageType.Close) return;
            if (received != MessageBytes)
            {
                accounts.Wrong("messages", $"{received} bytes in place of {MessageBytes}");
                continue;
            }

            var (life, number) = (BinaryPrimitives.ReadInt64LittleEndian(buffer), BinaryPrimitives.ReadInt64LittleEndian(buffer.AsSpan(8)));
            var span = spans.GetValueOrDefault(life, new Span(life, number, number - 1, 0, false));
            if (number <= span.Last) accounts.Wrong("messages", $"number {number} of life {life} after {span.Last}");
            spans[life] = span with { Last = number, Received = span.Received + 1 };
            accounts.Count("streams: received");
        }
    }

    private void Check()
    {
        foreach (var span in _spans)
        {
            var (sent, dropped) = _lives[span.Life];
            // Who saw the next life was there to the end of this one.
            var expected = (span.SawNext ? sent : span.Last + 1) - span.First;
            var missing = expected - span.Received;
            accounts.Count("streams: sent to subscribers", expected);
            accounts.Count("streams: missing at subscribers", missing);
            if (missing > dropped) accounts.Wrong("messages",
                $"{missing} of {expected} messages of life {span.Life} are missing, {dropped} were dropped by the publisher");
        }
    }

    /// <summary>What one subscriber got of one life of the publisher.</summary>
    private sealed record Span(long Life, long First, long Last, long Received, bool SawNext);
}
