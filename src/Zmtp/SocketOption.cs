using Zmtp.Wire;

namespace Zmtp;

/// <summary>One option of sockets: its names here and elsewhere, and who takes it.</summary>
/// <param name="Name">The property of <see cref="ZmtpOptions"/>.</param>
/// <param name="LibzmqName">libzmq's name without <c>ZMQ_</c>, which is pyzmq's as well; empty for options of ours.</param>
/// <param name="NetMqName">NetMQ's name; empty where it has none.</param>
/// <param name="Types">The socket types that take it; empty for all.</param>
public sealed record SocketOption(string Name, string LibzmqName, string NetMqName, IReadOnlyList<SocketType> Types)
{
    /// <summary>Whether sockets of a type take it.</summary>
    public bool Takes(SocketType type) => Types.Count == 0 || Types.Contains(type);

    /// <summary>The types in words, such as <c>PUB, XPUB</c>; <c>all</c> for all.</summary>
    public string TypesText => Types.Count == 0 ? "all" : string.Join(", ", Types.Select(type => type.Name()));

    /// <summary>Whether options hold something else than the default; always false for options that every type takes.</summary>
    internal Func<ZmtpOptions, bool> IsGiven { get; init; } = static _ => false;
}
