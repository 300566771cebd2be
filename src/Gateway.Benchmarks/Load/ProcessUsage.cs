using System.Globalization;

namespace Gateway.Benchmarks.Load;

/// <summary>What a process has used, from /proc.</summary>
internal static class ProcessUsage
{
    /// <summary>CPU time in user and kernel mode so far, in microseconds. Counted by the kernel in ticks of 10 ms.</summary>
    public static double CpuMicroseconds(int process)
    {
        // The name in parentheses may hold spaces; user and system time are the 12th and 13th field behind it.
        var stat = File.ReadAllText($"/proc/{process}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) * 10_000.0;
    }

    /// <summary>Resident memory now, in bytes.</summary>
    public static double Resident(int process) => Status(process, "VmRSS:");

    /// <summary>Most memory resident at once since <see cref="ForgetPeak"/>, in bytes.</summary>
    public static double PeakResident(int process) => Status(process, "VmHWM:");

    public static void ForgetPeak(int process) => File.WriteAllText($"/proc/{process}/clear_refs", "5");

    private static double Status(int process, string field)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(line[field.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024.0;
    }
}
