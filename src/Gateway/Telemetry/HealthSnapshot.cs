using System.Text.Json;

namespace Gateway.Telemetry;

/// <summary>What <c>/health/ready</c> answers: made when somebody asks, at most twice a second, however many ask.</summary>
/// <remarks>
/// Looking at everything takes locks that messages wait for, so that those who ask often must not cost those who are served.
/// </remarks>
internal sealed class HealthSnapshot(IServiceProvider services, TimeProvider time, IHostApplicationLifetime lifetime)
{
    /// <summary>How old an answer may be.</summary>
    internal static readonly TimeSpan MaxAge = TimeSpan.FromMilliseconds(500);

    private readonly Lock _making = new();
    private Made? _made;

    /// <summary>Whether traffic should come here, and the document as JSON. That the gateway stops is always known at once.</summary>
    public (bool IsUp, byte[] Body) Current
    {
        get
        {
            var made = Volatile.Read(ref _made);
            if (made is not null && IsFresh(made)) return (made.IsUp, made.Body);
            lock (_making)
            {
                made = _made;
                if (made is null || !IsFresh(made)) Volatile.Write(ref _made, made = Make());
                return (made.IsUp, made.Body);
            }
        }
    }

    private bool IsFresh(Made made) => time.GetElapsedTime(made.At) < MaxAge
        && made.IsStopping == lifetime.ApplicationStopping.IsCancellationRequested;

    private Made Make()
    {
        var (at, isStopping) = (time.GetTimestamp(), lifetime.ApplicationStopping.IsCancellationRequested);
        var document = HealthEndpoints.Read(services);
        return new Made(at, isStopping, document.Status is "ready" or "degraded",
            JsonSerializer.SerializeToUtf8Bytes(document, HealthJson.Default.HealthDocument));
    }

    private sealed record Made(long At, bool IsStopping, bool IsUp, byte[] Body);
}
