using Gateway.Configuration;

namespace Gateway.CommandLine;

/// <summary>Reads the command line. Nothing is ignored: what is not known is said.</summary>
internal static class CommandParser
{
    private static readonly string[] Words = ["check", "schema", "curve-keypair", "hash-password", "help"];
    private static readonly string[] Flags = ["--help", "--version", "--config", "--urls"];

    /// <summary>Configuration keys, or their first part, that mean something outside the section.</summary>
    private static readonly string[] Roots =
    [
        GatewayOptions.SectionName, "Logging", "Kestrel", "AllowedHosts", "urls", "http_ports", "https_ports", "environment", "contentRoot", "applicationName",
    ];

    /// <summary>Reads the arguments.</summary>
    public static Command Parse(IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0) return new Command.Serve([], []);
        if (arguments.Any(argument => argument is "--help" or "-h" or "-?") || arguments[0] == "help") return new Command.Help();
        if (arguments.Contains("--version")) return new Command.Version();
        return arguments[0] switch
        {
            "check" => arguments.Count == 2 ? new Command.Check(arguments[1]) : new Command.Invalid("check takes one file: gateway check gateway.json"),
            "schema" => arguments.Count == 1 ? new Command.Schema()
                : new Command.Invalid($"schema takes nothing more; remove {arguments[1].Split('=')[0]}"),
            "curve-keypair" => ParseCurveKeyPair(arguments),
            "hash-password" => arguments.Count == 1 ? new Command.HashPassword() : new Command.Invalid("hash-password takes nothing more; it reads the password from its input"),
            _ => ParseServe(arguments),
        };
    }

    private static Command ParseCurveKeyPair(IReadOnlyList<string> arguments)
    {
        string[] rest = [.. arguments.Skip(1)];
        return rest switch
        {
            [] => new Command.CurveKeyPair(null),
            ["--out", { Length: > 0 } name] when !name.StartsWith('-') => new Command.CurveKeyPair(name),
            [{ Length: > 6 } both] when both.StartsWith("--out=", StringComparison.Ordinal) => new Command.CurveKeyPair(both[6..]),
            _ => new Command.Invalid("curve-keypair takes nothing, or a name for the two files: gateway curve-keypair --out NAME"),
        };
    }

    private static Command ParseServe(IReadOnlyList<string> arguments)
    {
        var (files, settings) = (new List<string>(), new List<string>());
        for (var at = 0; at < arguments.Count; at++)
        {
            var argument = arguments[at];
            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var key = (equals < 0 ? argument : argument[..equals]).TrimStart('-');
            if (key.Length == 0 || (!argument.StartsWith("--", StringComparison.Ordinal) && equals < 0)) return at == 0
                ? Unknown(argument, Words)
                : new Command.Invalid(
                $"argument {at + 1} is not known (it is not shown, for it may be a value); gateway --help lists what is");
            if (!IsKnown(key)) return Unknown(equals < 0 ? argument : argument[..equals], Flags);
            if (equals < 0 && (++at == arguments.Count || arguments[at].StartsWith("--", StringComparison.Ordinal)))
            {
                return new Command.Invalid($"{argument} needs a value: {argument}=VALUE");
            }

            var value = equals < 0 ? arguments[at] : argument[(equals + 1)..];
            if (key == "config") files.Add(value);
            else settings.Add($"{key}={value}");
        }

        return new Command.Serve(files, settings);
    }

    private static bool IsKnown(string key) => key == "config" || Roots.Contains(key.Split(':')[0], StringComparer.OrdinalIgnoreCase);

    private static Command.Invalid Unknown(string argument, IEnumerable<string> known)
    {
        var nearest = Spelling.Nearest(argument, known);
        return new Command.Invalid(nearest is null
            ? $"{argument} is not known; gateway --help lists what is"
            : $"{argument} is not known; did you mean {nearest}?");
    }
}
