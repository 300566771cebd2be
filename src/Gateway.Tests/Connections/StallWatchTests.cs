using Gateway.Connections;
using Gateway.Tests.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Gateway.Tests.Connections;

public sealed class StallWatchTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly ManualTimeProvider _time = new();
    private readonly TaskCompletionSource _flush = new();
    private readonly Progress _progress = new();
    private readonly Lifetime _lifetime = new();
    private readonly Rate _rate = new();

    [Fact]
    public void A_client_that_takes_nothing_is_aborted_at_the_deadline()
    {
        using var watch = Watch();
        var waiting = watch.WaitAsync(_flush.Task);
        _time.Advance(Deadline - TimeSpan.FromSeconds(1));
        Assert.False(_lifetime.IsAborted);
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.True(_lifetime.IsAborted);
        Assert.False(waiting.IsCompleted);
    }

    [Fact]
    public void A_client_that_takes_a_byte_now_and_then_is_never_aborted()
    {
        using var watch = Watch();
        _ = watch.WaitAsync(_flush.Task).AsTask();
        for (var i = 0; i < 100; i++)
        {
            _time.Advance(Deadline - TimeSpan.FromSeconds(4));
            _progress.TakenBytes++;
            _time.Advance(TimeSpan.FromSeconds(3));
        }

        Assert.False(_lifetime.IsAborted);
    }

    [Theory]
    [InlineData(999, true)]
    [InlineData(1001, false)]
    public void A_client_below_the_rate_is_aborted(int bytesPerSecond, bool isAborted)
    {
        using var watch = Watch(minRate: 1000);
        _ = watch.WaitAsync(_flush.Task).AsTask();
        for (var i = 0; i < 65; i++)
        {
            _progress.TakenBytes += bytesPerSecond;
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(isAborted, _lifetime.IsAborted);
    }

    [Fact]
    public async Task Between_two_flushes_nobody_is_late()
    {
        using var watch = Watch(minRate: 1000);
        _flush.SetResult();
        await watch.WaitAsync(_flush.Task);
        _time.Advance(Deadline * 10);
        Assert.False(_lifetime.IsAborted);
    }

    [Fact]
    public void The_bytes_that_other_responses_of_an_HTTP2_connection_take_do_not_count()
    {
        using var watch = Watch(protocol: "HTTP/2");
        _ = watch.WaitAsync(_flush.Task).AsTask();
        for (var i = 0; i < 34; i++)
        {
            _progress.TakenBytes++;
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.True(_lifetime.IsAborted);
    }

    [Fact]
    public void The_servers_own_rate_is_off()
    {
        using var watch = Watch();
        Assert.Null(_rate.MinDataRate);
    }

    private StallWatch Watch(long minRate = 0, string protocol = "HTTP/1.1")
    {
        var context = new DefaultHttpContext();
        context.Request.Protocol = protocol;
        context.Features.Set<ISendProgress>(_progress);
        context.Features.Set<IHttpRequestLifetimeFeature>(_lifetime);
        context.Features.Set<IHttpMinResponseDataRateFeature>(_rate);
        return new StallWatch(context, Deadline, minRate, _time);
    }

    private sealed class Progress : ISendProgress
    {
        public long TakenBytes { get; set; }
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        public bool IsAborted { get; private set; }

        public CancellationToken RequestAborted { get; set; }

        public void Abort() => IsAborted = true;
    }

    private sealed class Rate : IHttpMinResponseDataRateFeature
    {
        public MinDataRate? MinDataRate { get; set; } = new(240, TimeSpan.FromSeconds(5));
    }
}
