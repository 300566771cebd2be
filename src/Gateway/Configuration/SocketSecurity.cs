using Zmtp.Authentication;
using Zmtp.Security;

namespace Gateway.Configuration;

/// <summary>What a socket needs of its <see cref="SecurityOptions"/>, with files read and keys decoded.</summary>
/// <param name="Mechanism">NULL, PLAIN or CURVE.</param>
/// <param name="IsServer">Whether it is the mechanism's server.</param>
/// <param name="UserName">PLAIN client.</param>
/// <param name="Password">PLAIN client.</param>
/// <param name="Keys">CURVE: our keys.</param>
/// <param name="ServerKey">CURVE client.</param>
/// <param name="AllowList">Who may come in; null for a client, and for NULL without lists.</param>
/// <param name="ZapDomain">Name that the authenticator is asked with.</param>
internal sealed record SocketSecurity(
    string Mechanism, bool IsServer, string? UserName, string Password, CurveKeyPair? Keys, byte[]? ServerKey, AllowListOptions? AllowList, string ZapDomain)
{
    /// <summary>What it is, without anything that it holds.</summary>
    public override string ToString() => $"{Mechanism} {(IsServer ? "server" : "client")}";
}
