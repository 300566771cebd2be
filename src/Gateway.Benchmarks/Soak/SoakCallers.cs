using System.Net;

namespace Gateway.Benchmarks.Soak;

/// <summary>
/// Callers that each send one request after the other, most of them well behaved. Every 200 is compared with what its own request has to
/// get.
/// </summary>
internal sealed class SoakCallers(Uri web, SoakAccounts accounts, int seed) : IDisposable
{
    public const int Callers = 48;
    public static readonly TimeSpan RouteTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Of a route whose replies come about when it gives them up.</summary>
    public static readonly TimeSpan QuickTimeout = TimeSpan.FromMilliseconds(100);


    // A call that the gateway holds longer than this is stuck: connect wait, time out and three attempts are over by then.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly HttpClient _client =
        new(new SocketsHttpHandler { UseProxy = false, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5) })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private long _lastId;

    private enum Kind
    {
        Small,
        Repeatable,
        Upload,
        SlowUpload,
        BrokenUpload,
        Download,
        BrokenDownload,
        Cancelled,
        Late,
        Never,
    }

    public Task RunAsync(CancellationToken stopping) =>
        Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallAsync(new Random(seed + caller), stopping))));

    /// <summary>One good call after the faults: it has to be answered.</summary>
    public async Task CheckAsync(int calls)
    {
        var random = new Random(seed);
        for (var i = 0; i < calls; i++) await OneAsync(Kind.Small, random, mustSucceed: true, CancellationToken.None);
    }

    public void Dispose() => _client.Dispose();

    private async Task CallAsync(Random random, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            if (!await OneAsync(Choose(random.Next(100)), random, mustSucceed: false, stopping)) await Task.Delay(random.Next(5, 50),
                CancellationToken.None);
        }
    }

    private static Kind Choose(int percent) => percent switch
    {
        < 46 => Kind.Small,
        < 60 => Kind.Repeatable,
        < 64 => Kind.Upload,
        < 68 => Kind.SlowUpload,
        < 70 => Kind.BrokenUpload,
        < 75 => Kind.Download,
        < 79 => Kind.BrokenDownload,
        < 90 => Kind.Cancelled,
        < 99 => Kind.Late,
        _ => Kind.Never,
    };

    private SoakBody Body(Kind kind, Random random)
    {
        // Who leaves and what is late is large as often as small: what goes on in pieces meets its end in the middle.
        var form = kind is Kind.Cancelled or Kind.Late ? random.Next(3) switch { 0 => Kind.Upload, 1 => Kind.Download, _ => Kind.Small }
            : kind;
        return new(
            (ulong)Interlocked.Increment(ref _lastId),
            form is Kind.Upload or Kind.SlowUpload or Kind.BrokenUpload ? random.Next(70_000, 600_000)
                : random.Next(SoakBody.HeadSize, 4000),
            form is Kind.Download or Kind.BrokenDownload ? random.Next(50_000, 3_000_000) : 0,
            kind switch
            {
                Kind.Late => random.Next(0, (int)QuickTimeout.TotalMilliseconds * 3 / 2),
                Kind.Never => -1,
                _ => random.Next(10) == 0 ? random.Next(1, 40) : 0,
            });
    }

    /// <returns>Whether it was answered with 200.</returns>
    private async Task<bool> OneAsync(Kind kind, Random random, bool mustSucceed, CancellationToken stopping)
    {
        var asked = Body(kind, random);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        leaving.CancelAfter(kind == Kind.Cancelled ? TimeSpan.FromMilliseconds(random.Next(0, 60)) : Patience);
        var body = asked.Request();
        using var request = new HttpRequestMessage(kind == Kind.Repeatable ? HttpMethod.Put : HttpMethod.Post,
            new Uri(web, kind == Kind.Late ? "/quick" : "/call"))
        {
            Content = kind switch
            {
                Kind.SlowUpload => new PacedContent(body, body.Length, random.Next(2, 8)),
                Kind.BrokenUpload => new PacedContent(body, random.Next(1, body.Length), random.Next(0, 3)),
                _ => new ByteArrayContent(body),
            },
        };
        var outcome = "";
        try
        {
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leaving.Token);
            outcome = $"{(int)response.StatusCode}";
            if (response.StatusCode != HttpStatusCode.OK) return false;
            await CompareAsync(asked, body, response, kind, random, leaving.Token);
            return true;
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            outcome = outcome.Length == 0 ? "no response" : $"{outcome}, cut short";
            return false;
        }
        catch (OperationCanceledException)
        {
            outcome = "left";
            // Cancelled without our doing: this program is ending, after an error that it has told.
            if (kind != Kind.Cancelled && leaving.IsCancellationRequested
                && !stopping.IsCancellationRequested) accounts.Wrong("calls that never ended",
                $"{kind} request {asked.Id} had no end after {Patience.TotalSeconds} s");
            return false;
        }
        finally
        {
            accounts.Count("calls");
            accounts.Count($"calls: {kind}: {outcome}");
            if (mustSucceed && outcome != "200") accounts.Wrong("calls after the faults", $"request {asked.Id}: {outcome}");
        }
    }

    private async Task CompareAsync(SoakBody asked, byte[] body, HttpResponseMessage response, Kind kind, Random random,
        CancellationToken leaving)
    {
        var expected = asked.Reply(body);
        await using var stream = await response.Content.ReadAsStreamAsync(leaving);
        var buffer = new byte[64 * 1024];
        var at = 0;
        while (true)
        {
            var read = await stream.ReadAsync(buffer, leaving);
            if (read == 0) break;
            if (at + read > expected.Length || !buffer.AsSpan(0, read).SequenceEqual(expected.AsSpan(at, read)))
            {
                accounts.Wrong("bodies", $"{kind} request {asked.Id}: {WhatCame(buffer.AsSpan(0, read), at, expected)}");
                return;
            }

            at += read;
            if (kind == Kind.BrokenDownload && at > expected.Length / 2) return;
            if (kind == Kind.Download) await Task.Delay(random.Next(0, 10), leaving);
        }

        if (at == expected.Length) accounts.Count("bodies compared");
        else accounts.Wrong("bodies", $"{kind} request {asked.Id}: ended well after {at} of {expected.Length} bytes");
    }

    private static string WhatCame(ReadOnlySpan<byte> came, int at, byte[] expected)
    {
        var first = 0;
        while (first < came.Length && at + first < expected.Length && came[first] == expected[at + first]) first++;
        var whose = at == 0 && came.Length >= sizeof(ulong) ? $", it bears id {BitConverter.ToUInt64(came)}" : "";
        return $"byte {at + first} of {expected.Length} is not its own{whose}";
    }

    /// <summary>A body that goes out slowly and may break off.</summary>
    private sealed class PacedContent(byte[] body, int sent, int pauseMilliseconds) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var at = 0; at < sent; at += 16 * 1024)
            {
                await stream.WriteAsync(body.AsMemory(at, Math.Min(16 * 1024, sent - at)));
                await stream.FlushAsync();
                await Task.Delay(pauseMilliseconds);
            }

            if (sent < body.Length) throw new IOException("The upload breaks off here.");
        }

        protected override bool TryComputeLength(out long length)
        {
            length = body.Length;
            return true;
        }
    }
}
