using System.Globalization;

namespace Gateway.Benchmarks.Soak;

/// <summary>Command line of <c>soak</c>.</summary>
/// <param name="Minutes">How long the load lasts.</param>
/// <param name="CallsOnly">Whether streams and the device are left out.</param>
/// <param name="Seed">What every random choice follows from; which fault meets which byte still depends on the machine.</param>
internal sealed record SoakOptions(double Minutes, bool CallsOnly, int Seed)
{
    public const string Usage = """
        Usage: soak [--minutes 10] [--calls] [--seed N]
          Runs the gateway in a process of its own under calls, streams and a device while services restart, clients leave and
          uploads break off, and ends with the accounts: bodies, messages, descriptors, memory. Exit code 1 when one of them is
          wrong. --calls: the calls alone.
        """;

    /// <returns>Null, with the reason in <paramref name="error"/>, when an argument is wrong.</returns>
    public static SoakOptions? Parse(string[] args, out string error)
    {
        var options = new SoakOptions(10, false, Environment.TickCount & 0xFFFF);
        error = "";
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            var next = args[i] switch
            {
                "--calls" => options with { CallsOnly = true },
                "--minutes" when double.TryParse(value, CultureInfo.InvariantCulture, out var minutes) && minutes is >= 0.1 and <= 1440 =>
                    options with { Minutes = minutes },
                "--seed" when int.TryParse(value, CultureInfo.InvariantCulture, out var seed) => options with { Seed = seed },
                _ => null,
            };
            if (next is null)
            {
                error = $"{args[i]} {value}: not understood. --minutes takes 0.1 to 1440, --seed a whole number.";
                return null;
            }

            if (args[i] != "--calls") i++;
            options = next;
        }

        return options;
    }
}
