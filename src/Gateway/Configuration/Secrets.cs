using System.Text.RegularExpressions;

namespace Gateway.Configuration;

/// <summary>
/// What of a configuration is never shown, in no error, log, page or answer: every value below <c>Security</c>, <c>Access</c> and
/// <c>Tls</c>, whatever is named like a password or a key, and the user in front of a URL's host. A value that is wrong is as secret as a
/// right one: people put a password where a group belongs.
/// </summary>
internal static partial class Secrets
{
    /// <summary>Stands where something was left out.</summary>
    public const string Hidden = "***";

    private static readonly string[] Sections = ["Security", "Access", "Tls"];

    /// <summary>Whether the value at a path such as <c>Gateway:Backends:jobs:Security:Users:bob</c> is one.</summary>
    public static bool IsSecret(string path) => path.Split(':') is var keys
        && (keys.Any(key => Sections.Contains(key, StringComparer.OrdinalIgnoreCase)) || SecretName().IsMatch(keys[^1]));

    /// <summary>A text without the users and passwords in front of the hosts of its URLs.</summary>
    public static string WithoutUsers(string text) => text.Contains('@', StringComparison.Ordinal)
        ? UserInfo().Replace(text, $"${{before}}{Hidden}@") : text;

    /// <summary>Why a file cannot be used, without its name: below these sections that may be a secret in the wrong place.</summary>
    public static string WhyUnreadable(Exception exception) => exception switch
    {
        FileNotFoundException or DirectoryNotFoundException => "does not exist",
        UnauthorizedAccessException => "may not be read",
        IOException => "cannot be read",
        _ => "cannot be used",
    };

    [GeneratedRegex("password|passphrase|secret|token|credential|username|apikey|privatekey",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SecretName();

    // As far as the last @, for passwords hold slashes and more of them; ipc://@name has nobody in front.
    [GeneratedRegex(
        """(?<before>(^|[\s"';,])([a-z][a-z0-9+.\-]*://)?)(?<user>(?<=://)[^\s"']+|[^\s"'/]+:[^\s"']+)@""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex UserInfo();
}
