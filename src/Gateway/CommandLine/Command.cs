namespace Gateway.CommandLine;

/// <summary>What the command line asks for.</summary>
internal abstract record Command
{
    /// <summary>Run the service.</summary>
    /// <param name="Files">Files of <c>--config</c>.</param>
    /// <param name="Settings"><c>key=value</c> pairs.</param>
    public sealed record Serve(IReadOnlyList<string> Files, IReadOnlyList<string> Settings) : Command;

    /// <summary>Say what is wrong with a file.</summary>
    public sealed record Check(string File) : Command;

    /// <summary>Print the JSON Schema of configuration files.</summary>
    public sealed record Schema : Command;

    /// <summary>Make a CURVE key pair.</summary>
    /// <param name="Out">Name of the certificates to write; null to print the pair.</param>
    public sealed record CurveKeyPair(string? Out) : Command;

    /// <summary>Hash the password that stands in the first line of the input.</summary>
    public sealed record HashPassword : Command;

    /// <summary>Print the usage.</summary>
    public sealed record Help : Command;

    /// <summary>Print the version.</summary>
    public sealed record Version : Command;

    /// <summary>The command line cannot be understood.</summary>
    /// <param name="Message">What is wrong with it, in one line.</param>
    public sealed record Invalid(string Message) : Command;
}
