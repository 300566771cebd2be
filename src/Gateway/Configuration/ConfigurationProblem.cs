namespace Gateway.Configuration;

/// <summary>One thing that is wrong in the configuration: where it stands, and in words what it is and what would be right.</summary>
/// <param name="Path">Full path of the setting, such as <c>Gateway:Routes:add:Backend</c>.</param>
/// <param name="Text">What follows the path in the sentence.</param>
internal sealed record ConfigurationProblem(string Path, string Text)
{
    /// <summary>A value that is not allowed.</summary>
    /// <param name="allowed">What is, as it follows <c>allowed:</c>; no full stop.</param>
    public static ConfigurationProblem NotAllowed(string path, object? value, string allowed) => Secrets.IsSecret(path)
        ? new(path, $"has a value that cannot be used (it is not shown); allowed: {allowed}.")
        : new(path, $"is \"{Secrets.WithoutUsers(SettingDescription.TextOf(value))}\"; allowed: {allowed}.");

    /// <summary>A file, named below <c>Security</c>, <c>Access</c> or <c>Tls</c>, that cannot be used. Its name is not shown.</summary>
    /// <param name="why">What follows "names a file that"; no full stop.</param>
    public static ConfigurationProblem File(string path, string why, string allowed) =>
        new(path, $"names a file that {why}; allowed: {allowed}.");

    /// <summary>A value that has to be given and is not.</summary>
    public static ConfigurationProblem Missing(string path, string allowed) => new(path, $"is missing; allowed: {allowed}.");

    /// <summary>A key that names no setting.</summary>
    public static ConfigurationProblem Unknown(string path, IEnumerable<string> known)
    {
        var nearest = Spelling.Nearest(path[(path.LastIndexOf(':') + 1)..], known);
        return nearest is null
            ? new(path, $"is not a setting; settings here: {string.Join(", ", known)}.")
            : new(path, $"is not a setting; did you mean {nearest}?");
    }

    /// <summary>The whole sentence.</summary>
    public override string ToString() => $"{Path} {Text}";
}
