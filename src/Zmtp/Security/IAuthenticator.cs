using Zmtp.Wire;

namespace Zmtp.Security;

/// <summary>Decides who may connect (27/ZAP as an interface; <see cref="Authentication.AllowList"/> is one; a handler at <c>inproc://zeromq.zap.01</c> is the other way).</summary>
/// <remarks>One that throws, answers nonsense or does not answer within the handshake's time has refused that one peer; all others go on.</remarks>
public interface IAuthenticator
{
    /// <summary>Decides. The time counts into the handshake's. Called from many connections at once.</summary>
    ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken);
}

/// <summary>What a peer shows.</summary>
/// <param name="Mechanism">NULL, PLAIN or CURVE.</param>
/// <param name="Domain">The socket's ZAP domain; may be empty.</param>
/// <param name="Address">The peer's IP address without port; of an ipc peer <c>localhost:uid:gid:pid</c>, or <c>localhost</c> where the system does not tell.</param>
/// <param name="Identity">The identity that it announced; empty for none, and with NULL and PLAIN, whose peers announce it only afterwards.</param>
/// <param name="Credentials">PLAIN: user and password. CURVE: the public key, 32 bytes, whose secret the peer has proved to hold. NULL: none. They are zeroed after the decision: copy what has to stay.</param>
public sealed record AuthenticationRequest(string Mechanism, string Domain, string Address, byte[] Identity, IReadOnlyList<byte[]> Credentials);

/// <summary>The decision.</summary>
/// <param name="Status">200 accepted, 300 try again later (the connection closes without a word), 400 refused, 500 failed. Another one counts as a failure of the authenticator.</param>
/// <param name="UserId">Who an accepted peer is, at most 255 bytes of UTF-8. Empty: the PLAIN user name or the CURVE public key in Z85.</param>
/// <param name="Text">Why, for the log; never sent to the peer.</param>
/// <param name="Properties">What to add to the peer's properties; null for nothing. <c>Socket-Type</c> and <c>Identity</c> stay as announced.</param>
public sealed record AuthenticationResult(int Status, string UserId = "", string Text = "", Metadata? Properties = null)
{
    /// <summary>Whether the peer may come in.</summary>
    public bool IsAccepted => Status == 200;

    /// <summary>Whether nobody has decided: no authenticator, or one that failed. Refused as for 300, so that the peer comes back.</summary>
    internal bool IsFailure { get; private init; }

    internal static AuthenticationResult Failure(string text) => new(300, "", text) { IsFailure = true };
}
