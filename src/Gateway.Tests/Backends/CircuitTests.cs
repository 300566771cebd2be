using Gateway.Backends;
using Gateway.Configuration;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Backends;

public class CircuitTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Opens_after_the_configured_number_of_failures_in_a_row()
    {
        var circuit = Make(failures: 3);
        circuit.Failed();
        circuit.Failed();
        Assert.True(circuit.TryEnter(out _));
        circuit.Failed();
        Assert.False(circuit.TryEnter(out _));
    }

    [Fact]
    public void A_success_in_between_starts_the_count_again()
    {
        var circuit = Make(failures: 2);
        circuit.Failed();
        circuit.Succeeded();
        circuit.Failed();
        Assert.True(circuit.TryEnter(out _));
    }

    [Fact]
    public void Lets_one_probe_through_after_the_break()
    {
        var circuit = Make(failures: 1);
        circuit.Failed();
        Assert.False(circuit.TryEnter(out _));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(circuit.TryEnter(out _));
        Assert.False(circuit.TryEnter(out _));
    }

    [Fact]
    public void A_probe_that_succeeds_closes_it()
    {
        var circuit = Make(failures: 1);
        circuit.Failed();
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(circuit.TryEnter(out _));
        circuit.Succeeded();
        Assert.True(circuit.TryEnter(out _));
        Assert.True(circuit.TryEnter(out _));
    }

    [Fact]
    public void A_probe_that_fails_opens_it_for_another_break()
    {
        var circuit = Make(failures: 5);
        for (var i = 0; i < 5; i++) circuit.Failed();
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(circuit.TryEnter(out var probe));
        circuit.Failed(probe);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(circuit.TryEnter(out _));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(circuit.TryEnter(out _));
    }

    [Fact]
    public void A_probe_whose_client_left_makes_room_for_another()
    {
        var circuit = Make(failures: 1);
        circuit.Failed();
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(circuit.TryEnter(out var probe));
        circuit.Abandoned(probe);
        Assert.True(circuit.TryEnter(out _));
    }

    [Fact]
    public void Only_the_probe_decides_about_an_open_circuit()
    {
        var circuit = Make(failures: 1);
        circuit.Failed();
        _time.Advance(TimeSpan.FromSeconds(10));
        // Calls that were sent before it opened time out one after another; none of them is the probe.
        circuit.Failed();
        Assert.True(circuit.TryEnter(out var probe));
        circuit.Failed();
        circuit.Abandoned(probe + 1);
        Assert.False(circuit.TryEnter(out _));
        circuit.Abandoned(probe);
        Assert.True(circuit.TryEnter(out _));
    }

    [Fact]
    public void Never_opens_when_it_is_turned_off()
    {
        var circuit = Make(failures: 0);
        for (var i = 0; i < 100; i++) circuit.Failed();
        Assert.True(circuit.TryEnter(out _));
    }

    private Circuit Make(int failures) => new(new CircuitOptions { Failures = failures, Break = TimeSpan.FromSeconds(10) }, _time);
}
