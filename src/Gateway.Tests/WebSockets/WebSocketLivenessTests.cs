using Gateway.Tests.TestSupport;
using Gateway.WebSockets;

namespace Gateway.Tests.WebSockets;

public class WebSocketLivenessTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    private readonly ManualTimeProvider _time = new();
    private readonly WebSocketTiming _timing;
    private readonly WebSocketLiveness _liveness;

    public WebSocketLivenessTests()
    {
        _timing = new WebSocketTiming(_time, TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), Tick);
        _liveness = new WebSocketLiveness(_timing);
    }

    [Fact]
    public void A_silent_peer_is_pinged_within_25_s_and_given_up_10_s_later()
    {
        var (ping, pinged) = Until(WebSocketVerdict.SendPing);
        Assert.InRange(ping, 12.5, 25.5);
        Assert.Equal(10, Until(WebSocketVerdict.PeerSilent).Seconds, 1);
        Assert.True(pinged);
    }

    [Fact]
    public void A_peer_that_answers_is_pinged_every_25_s()
    {
        Until(WebSocketVerdict.SendPing);
        for (var i = 0; i < 4; i++)
        {
            _liveness.Alive();
            Assert.Equal(25, Until(WebSocketVerdict.SendPing).Seconds, 1);
        }
    }

    [Fact]
    public void A_write_that_stalls_is_ended_within_10_s()
    {
        _liveness.WriteBegins();
        Assert.InRange(Until(WebSocketVerdict.WriteStalled).Seconds, 9.5, 10);
    }

    [Fact]
    public void Writes_that_end_in_time_are_signs_of_life_even_without_pongs()
    {
        // A slow link: each write takes 8 s, and our pings stand behind them.
        for (var i = 0; i < 20; i++)
        {
            _liveness.WriteBegins();
            for (var s = 0; s < 16; s++) Assert.NotEqual(WebSocketVerdict.PeerSilent, Next());
            _liveness.WriteEnds();
        }
    }

    [Fact]
    public void A_write_that_did_not_stall_is_no_sign_of_life()
    {
        Until(WebSocketVerdict.SendPing);
        var verdicts = new List<WebSocketVerdict>();
        for (var i = 0; i < 20; i++)
        {
            _liveness.WriteBegins();
            _liveness.WriteEnds();
            verdicts.Add(Next());
        }

        Assert.Equal(WebSocketVerdict.PeerSilent, verdicts[^1]);
    }

    [Fact]
    public void Connections_made_together_do_not_ping_together()
    {
        var first = Enumerable.Range(0, 1000).Select(_ => _timing.FirstPing() / TimeSpan.TicksPerSecond).CountBy(second => second).ToDictionary();
        Assert.InRange(first.Count, 13, 14);
        Assert.All(first.Values, count => Assert.InRange(count, 1, 90));
    }

    [Fact]
    public void One_timer_ticks_all_members_and_only_them()
    {
        using var ticker = new WebSocketTicker(_timing);
        var members = Enumerable.Range(0, 100).Select(_ => new Ticked()).ToArray();
        foreach (var member in members) ticker.Add(member);
        _time.Advance(Tick);
        foreach (var member in members.Where((_, i) => i % 3 == 0)) ticker.Remove(member);
        _time.Advance(Tick);
        Assert.Equal(66, ticker.Count);
        Assert.All(members.Select((member, i) => (member.Ticks, Expected: i % 3 == 0 ? 1 : 2)), pair => Assert.Equal(pair.Expected, pair.Ticks));
    }

    [Fact]
    public void A_member_may_leave_inside_its_own_tick_without_another_losing_its_turn()
    {
        using var ticker = new WebSocketTicker(_timing);
        var members = Enumerable.Range(0, 10).Select(_ => new Ticked()).ToArray();
        foreach (var member in members)
        {
            member.Leave = () => ticker.Remove(member);
            ticker.Add(member);
        }

        _time.Advance(2 * Tick);
        Assert.All(members, member => Assert.Equal(1, member.Ticks));
        Assert.Equal(0, ticker.Count);
    }

    [Fact]
    public void A_member_whose_tick_throws_is_told_once_and_the_others_are_ticked_on()
    {
        var told = new List<Exception>();
        using var ticker = new WebSocketTicker(_timing, told.Add);
        var failure = new InvalidOperationException("broken");
        Ticked[] members = [new(), new() { Failure = failure }, new()];
        foreach (var member in members) ticker.Add(member);
        _time.Advance(3 * Tick);
        Assert.Equal([3, 3, 3], members.Select(member => member.Ticks));
        Assert.Equal([0, 1, 0], members.Select(member => member.Failures));
        Assert.Equal([failure], told);
    }

    private (double Seconds, bool Found) Until(WebSocketVerdict wanted)
    {
        var start = _time.GetTimestamp();
        for (var i = 0; i < 1000; i++)
            if (Next() == wanted) return (_time.GetElapsedTime(start).TotalSeconds, true);

        Assert.Fail($"{wanted} never came.");
        return default;
    }

    private WebSocketVerdict Next()
    {
        _time.Advance(Tick);
        return _liveness.Judge(_time.GetTimestamp());
    }

    private sealed class Ticked : IWebSocketTicked
    {
        public int TickerSlot { get; set; }

        public int Ticks { get; private set; }

        public Action? Leave { get; set; }

        public void OnTick(long now)
        {
            Ticks++;
            Leave?.Invoke();
            if (Failure is { } failure) throw failure;
        }

        public Exception? Failure { get; init; }

        public int Failures { get; private set; }

        public void OnTickFailed() => Failures++;
    }
}
