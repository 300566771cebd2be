using System.Diagnostics;
using System.Reflection;

namespace Gateway.Tests.TestSupport;

/// <summary>A test of what optimised code allocates. In a debug build every async method allocates its state machine, so it is skipped there.</summary>
public sealed class OptimizedFactAttribute : FactAttribute
{
    public OptimizedFactAttribute()
    {
        if (typeof(GatewayApplication).Assembly.GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true })
            Skip = "Measured in the Release configuration only.";
    }
}
