using System.Globalization;

namespace Gateway.Connections;

/// <summary>
/// How many files and sockets the process may have open (<c>ulimit -n</c>), and how many of them web connections may take.
/// </summary>
/// <remarks>
/// Without a free descriptor the runtime cannot read how much memory there is, or load an assembly, and ends the process as "Out of
/// memory". So the web never takes the last ones: they are for backends, spooled bodies, and the runtime. .NET raises the soft limit to the
/// hard one when it starts.
/// </remarks>
internal sealed class DescriptorLimit
{
    private const int SmallestReserve = 96;
    private const int LargestReserve = 2048;

    /// <param name="limit">The soft limit; null where there is none.</param>
    public DescriptorLimit(int? limit)
    {
        Limit = limit;
        Reserve = limit is { } all ? Math.Clamp(all / 4, SmallestReserve, LargestReserve) : 0;
        First = limit is { } most ? Math.Max(1, most - Reserve) : int.MaxValue;
    }

    /// <summary>The limit of this process.</summary>
    public static DescriptorLimit OfProcess { get; } = new(Read());

    /// <summary>The limit; null where there is none.</summary>
    public int? Limit { get; }

    /// <summary>Descriptors that web connections do not take: a quarter, at least 96 and at most 2,048.</summary>
    public int Reserve { get; }

    /// <summary>
    /// First descriptor of the reserve. The system gives the lowest that is free, so whoever gets this one knows that all below are taken,
    /// whatever took them.
    /// </summary>
    public int First { get; }

    /// <summary>Reads the line of <c>/proc/self/limits</c>; null where it says unlimited.</summary>
    internal static int? Parse(string limits)
    {
        const string Line = "Max open files";
        var line = limits.Split('\n').FirstOrDefault(line => line.StartsWith(Line, StringComparison.Ordinal));
        var soft = line?[Line.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
    }

    private static int? Read()
    {
        try
        {
            return OperatingSystem.IsLinux() ? Parse(File.ReadAllText("/proc/self/limits")) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
