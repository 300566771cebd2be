using Gateway.WebSockets;

namespace Gateway.Tests.WebSockets;

public class WebSocketControlQueueTests
{
    private readonly WebSocketControlQueue _queue = new();
    private readonly byte[] _taken = new byte[WebSocketControlQueue.MaxTake];

    [Fact]
    public void A_flood_of_pings_leaves_one_pong_with_the_newest_payload()
    {
        var payload = new byte[125];
        for (var i = 0; i < 100_000; i++)
        {
            payload[0] = (byte)i;
            _queue.OfferPong(payload);
        }

        Assert.True(_queue.HasPending);
        Assert.Equal(2 + 125, _queue.Take(_taken, out _));
        Assert.Equal([0x8A, 125, 99_999 % 256], _taken[..3]);
        Assert.False(_queue.HasPending);
    }

    [Fact]
    public void Pong_ping_and_close_go_in_this_order()
    {
        _queue.OfferClose(WebSocketCloseCode.GoingAway, "bye");
        Assert.False(_queue.OfferPing());
        Assert.Equal("8805" + "03E9" + "627965", Take(out var closes));
        Assert.True(closes);
    }

    [Fact]
    public void Pong_and_ping_that_were_offered_before_the_close_go_before_it()
    {
        _queue.OfferPing();
        _queue.OfferPong([7]);
        _queue.OfferClose(WebSocketCloseCode.None);
        Assert.Equal("8A0107" + "8900" + "8800", Take(out var closes));
        Assert.True(closes);
    }

    [Fact]
    public void The_first_close_wins_and_nothing_follows_it()
    {
        Assert.True(_queue.OfferClose(WebSocketCloseCode.Normal));
        Assert.False(_queue.OfferClose(WebSocketCloseCode.InternalError, "late"));
        Assert.Equal("880203E8", Take(out _));
        Assert.True(_queue.IsClosing);
        Assert.False(_queue.OfferPong([1]));
        Assert.Equal("", Take(out var closesAgain));
        Assert.False(closesAgain);
    }

    [Fact]
    public void All_three_fit_into_the_largest_take()
    {
        _queue.OfferPong(new byte[125]);
        _queue.OfferPing();
        _queue.OfferClose(WebSocketCloseCode.SlowConsumer, new string('€', 100));
        Assert.InRange(_queue.Take(_taken, out _), 200, WebSocketControlQueue.MaxTake);
    }

    [Fact]
    public void A_long_reason_is_cut_at_a_whole_character()
    {
        var length = WebSocketFrames.WriteClosePayload(_taken, WebSocketCloseCode.Normal, new string('€', 100));
        Assert.Equal(2 + (41 * 3), length);
        Assert.True(System.Text.Unicode.Utf8.IsValid(_taken.AsSpan(2, length - 2)));
    }

    private string Take(out bool closes) => Convert.ToHexString(_taken.AsSpan(0, _queue.Take(_taken, out closes)));
}
