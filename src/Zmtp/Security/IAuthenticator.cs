namespace Zmtp.Security;

/// <summary>Decides who may connect (27/ZAP as an interface; an inproc handler is one implementation).</summary>
public interface IAuthenticator
{
    /// <summary>Decides. The time counts into the handshake's.</summary>
    ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken);
}

/// <summary>What a peer shows.</summary>
/// <param name="Mechanism">NULL, PLAIN or CURVE.</param>
/// <param name="Domain">The socket's ZAP domain; may be empty.</param>
/// <param name="Address">The peer's IP address, or what is known of an ipc peer.</param>
/// <param name="Identity">The identity that it announced.</param>
/// <param name="Credentials">PLAIN: user and password. CURVE: the public key, 32 bytes. NULL: none.</param>
public sealed record AuthenticationRequest(string Mechanism, string Domain, string Address, byte[] Identity, IReadOnlyList<byte[]> Credentials);

/// <summary>The decision.</summary>
/// <param name="Status">200 accepted, 300 try again later, 400 refused, 500 failed.</param>
/// <param name="UserId">Who the peer is, for accepted ones; at most 255 characters.</param>
/// <param name="Text">Why, for the log; never sent to the peer.</param>
public sealed record AuthenticationResult(int Status, string UserId = "", string Text = "")
{
    /// <summary>Whether the peer may come in.</summary>
    public bool IsAccepted => Status == 200;
}
