using System.Text;
using System.Text.Unicode;
using Zmtp.Security;

namespace Zmtp.Sockets;

/// <summary>Who decides about a peer, and what comes of an authenticator that does not.</summary>
/// <remarks>
/// Asked is the options' <see cref="IAuthenticator"/>; when there is none, the ZAP handler of the inproc registry; when that is missing too,
/// CURVE peers come in if <see cref="ZmtpOptions.CurveAllowAny"/> says so, and all others are refused.
/// </remarks>
internal static class PeerAuthentication
{
    /// <summary>Decides. Throws only when it is cancelled.</summary>
    public static async ValueTask<AuthenticationResult> DecideAsync(ZmtpOptions options, Mechanism mechanism, string address, CancellationToken cancellationToken)
    {
        var request = new AuthenticationRequest(mechanism.Name, options.ZapDomain, address, mechanism.Properties["Identity"] ?? [], mechanism.Credentials);
        var deciding = AskAsync(options, request, cancellationToken);
        try
        {
            // An authenticator that does not look at the token must not keep the connection.
            return Checked(await deciding.WaitAsync(cancellationToken), request);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Whatever it says later, nobody waits for it any more.
            _ = deciding.ContinueWith(static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw;
        }
        catch (Exception e)
        {
            return AuthenticationResult.Failure($"the authenticator failed: {e.GetType().Name}: {Clean(e.Message)}");
        }
    }

    private static async Task<AuthenticationResult> AskAsync(ZmtpOptions options, AuthenticationRequest request, CancellationToken cancellationToken)
    {
        if (options.Authenticator is { } authenticator) return await authenticator.AuthenticateAsync(request, cancellationToken);
        if (ZapClient.HandlerOf(options.Inproc) is { } handler) return await ZapClient.AskAsync(options, handler, request, cancellationToken);
        return request.Mechanism == "CURVE" && options.CurveAllowAny
            ? new AuthenticationResult(200)
            : AuthenticationResult.Failure($"nobody decides about {request.Mechanism} peers: there is no Authenticator, and nothing is bound to {ZapClient.Endpoint}");
    }

    private static AuthenticationResult Checked(AuthenticationResult result, AuthenticationRequest request)
    {
        if (result.IsFailure) return result;
        if (result.Status is not (200 or 300 or 400 or 500)) return AuthenticationResult.Failure($"the authenticator failed: {result.Status} is no status");
        if (!result.IsAccepted) return result with { Text = Clean(result.Text) };
        if (Encoding.UTF8.GetByteCount(result.UserId) > byte.MaxValue) return AuthenticationResult.Failure("the authenticator failed: a user id has up to 255 bytes");
        return result.UserId.Length > 0 ? result : result with { UserId = NaturalUserId(request) };
    }

    /// <summary>Two peers with different credentials are never the same user, also when the authenticator does not care to name them.</summary>
    private static string NaturalUserId(AuthenticationRequest request) => request.Mechanism switch
    {
        "PLAIN" when Utf8.IsValid(request.Credentials[0]) => Encoding.UTF8.GetString(request.Credentials[0]),
        "PLAIN" => Convert.ToHexString(request.Credentials[0].AsSpan(0, Math.Min(request.Credentials[0].Length, 127))),
        "CURVE" => Z85.Encode(request.Credentials[0]),
        _ => "",
    };

    private static string Clean(string text) => NullMechanism.Printable(Encoding.UTF8.GetBytes(text));
}
