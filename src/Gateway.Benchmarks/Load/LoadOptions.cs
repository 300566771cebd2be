using System.Globalization;

namespace Gateway.Benchmarks.Load;

/// <summary>Command line of <c>load</c>.</summary>
/// <param name="Rounds">How often each measurement is repeated; the table shows medians.</param>
/// <param name="Seconds">Length of one measurement.</param>
/// <param name="Only">Names of the parts to run.</param>
/// <param name="Environment">Variables for the gateway and for bare Kestrel, such as <c>DOTNET_gcServer=1</c>.</param>
internal sealed record LoadOptions(int Rounds, double Seconds, IReadOnlyList<string> Only, IReadOnlyDictionary<string, string> Environment)
{
    public const string Usage = """
        Usage: load [--rounds 3] [--seconds 5] [--only rest,stream,topics,large,idle,device] [--env NAME=VALUE]...
          Measures Gateway beside its baselines, in turn, and prints medians and ratios as a table in Markdown.
          Needs gcc, libzmq3-dev and wrk (Debian's packages). --env sets a variable for Gateway and for bare Kestrel.
        """;

    public static readonly string[] Parts = ["rest", "stream", "topics", "large", "idle", "device"];

    /// <returns>Null, with the reason in <paramref name="error"/>, when an argument is wrong.</returns>
    public static LoadOptions? Parse(string[] args, out string error)
    {
        var options = new LoadOptions(3, 5, Parts, new Dictionary<string, string>(StringComparer.Ordinal));
        error = "";
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            var next = args[i] switch
            {
                "--rounds" when int.TryParse(value, out var rounds) && rounds is >= 1 and <= 100 => options with { Rounds = rounds },
                "--seconds" when double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0.1 and <= 600 =>
                    options with { Seconds = seconds },
                "--only" when value.Split(',') is var only && only.All(part => Parts.Contains(part, StringComparer.Ordinal)) =>
                    options with { Only = only },
                "--env" when value.Split('=', 2) is [{ Length: > 0 } name, var set] =>
                    options with { Environment = new Dictionary<string, string>(options.Environment, StringComparer.Ordinal) { [name] = set } },
                _ => null,
            };
            if (next is null)
            {
                error = $"{args[i]} {value}: not understood. --rounds takes 1 to 100, --seconds 0.1 to 600, --only some of {string.Join(",", Parts)}.";
                return null;
            }

            options = next;
        }

        return options;
    }
}
