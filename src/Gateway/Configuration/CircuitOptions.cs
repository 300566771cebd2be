using System.ComponentModel.DataAnnotations;

namespace Gateway.Configuration;

/// <summary>The circuit of each endpoint of a caller: consecutive timeouts open it, a probe closes it.</summary>
public sealed class CircuitOptions
{
    /// <summary>Consecutive timeouts that open the circuit; 0 turns it off. Default 5; 0 to 1,000.</summary>
    [Range(0, 1000)]
    public int Failures { get; set; } = 5;

    /// <summary>Time an open circuit rejects calls before it lets one probe through. Default 10 s; above 0, at most 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00", MinimumIsExclusive = true)]
    public TimeSpan Break { get; set; } = TimeSpan.FromSeconds(10);
}
