using Zmtp.Transports;

namespace Gateway.Tests.TestSupport;

/// <summary>A connection whose bytes come one by one, up to so long after another on a clock that the link itself moves.</summary>
internal sealed class JitterLink(Link link, ManualTimeProvider time, TimeSpan longest, int seed) : Link
{
    private readonly Random _random = new(seed);

    public override string Remote => link.Remote;

    public override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = await link.ReceiveAsync(buffer[..1], cancellationToken);
        if (longest > TimeSpan.Zero) time.Advance(longest * _random.NextDouble());
        return count;
    }

    public override ValueTask<int> SendAsync(ReadOnlyMemory<byte> buffer) => link.SendAsync(buffer);

    public override void Abort() => link.Abort();

    public override ValueTask DisposeAsync() => link.DisposeAsync();
}
