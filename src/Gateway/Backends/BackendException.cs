namespace Gateway.Backends;

/// <summary>A call, push or subscription that failed, with the status and the stable code of its problem document.</summary>
/// <param name="status">HTTP status, 4xx or 5xx.</param>
/// <param name="code">Stable code such as <c>backend-timeout</c>; also the <c>error.type</c> of metrics.</param>
/// <param name="detail">What happened and, where known, what to do; shown to the caller.</param>
internal class BackendException(int status, string code, string detail, Exception? inner = null) : Exception(detail, inner)
{
    /// <summary>HTTP status of the problem document.</summary>
    public int Status { get; } = status;

    /// <summary>Stable code of the problem document.</summary>
    public string Code { get; } = code;
}

/// <summary>No reply came within the timeout: 504 <c>backend-timeout</c>.</summary>
internal sealed class BackendTimeoutException(string backend, TimeSpan timeout)
    : BackendException(504, "backend-timeout", $"Backend '{backend}' did not reply within {timeout}.");

/// <summary>No ready peer within <c>ConnectWait</c>: 503 <c>backend-unavailable</c>. The detail says why, per endpoint.</summary>
internal sealed class BackendUnavailableException(string backend, string why)
    : BackendException(503, "backend-unavailable", $"Backend '{backend}' has no ready peer: {why}");

/// <summary>The peer was lost while the call was in flight: 502 <c>backend-lost</c>.</summary>
/// <param name="replyBegan">Whether parts of the reply had come; the call cannot be repeated then.</param>
internal sealed class BackendLostException(string backend, string endpoint, bool replyBegan)
    : BackendException(502, "backend-lost", $"Backend '{backend}' lost its connection to {endpoint} before the reply was complete.")
{
    /// <summary>Whether parts of the reply had come.</summary>
    public bool ReplyBegan { get; } = replyBegan;
}

/// <summary>There are connections, and none was free for the call in time: 503 <c>backend-overloaded</c>.</summary>
internal sealed class BackendOverloadedException(string backend, bool oneAtATime, int maxConnections) : BackendException(
    503, "backend-overloaded", $"Backend '{backend}': {Why(oneAtATime)}, and none was free in time. MaxConnections is {maxConnections}.")
{
    private static string Why(bool oneAtATime) =>
        oneAtATime ? "each of its connections carries one call at a time" : "every connection is busy with a large transfer";
}
