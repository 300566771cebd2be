using System.ComponentModel.DataAnnotations;

namespace Gateway.Configuration;

/// <summary>Retries of calls whose peer was lost before the reply began.</summary>
public sealed class RetryOptions
{
    /// <summary>Attempts in all, the first included. Default 3; 1 to 10.</summary>
    [Range(1, 10)]
    public int Attempts { get; set; } = 3;

    /// <summary>Also repeat POST and PATCH, which may run twice. Default false: only GET, HEAD, PUT and DELETE are repeated.</summary>
    public bool Unsafe { get; set; }
}
