using Zmtp.Sockets;

namespace Gateway.Backends;

/// <summary>The engine's states in words for health, problems and people.</summary>
internal static class EndpointWords
{
    /// <summary>The state of an endpoint whose peer is connected.</summary>
    public const string Ready = "ready";

    /// <summary>The state of an endpoint whose peer is connected and timed out so often that it is left alone for a while.</summary>
    public const string NotAnswering = "not answering";

    public static EndpointStatus Describe(EndpointState state) => new(
        state.Endpoint, state.Role.ToString().ToLowerInvariant(), Phase(state.Phase), state.LastError, state.Since,
        state.Peer?.MessagesIn ?? 0, state.Peer?.MessagesOut ?? 0, state.Peer?.BytesIn ?? 0, state.Peer?.BytesOut ?? 0);

    /// <summary>Why no peer is ready, endpoint by endpoint.</summary>
    public static string WhyNot(IReadOnlyList<EndpointState> states) => states.Count == 0 ? "no route uses it, so it is not connected." : string.Join("; ", states.Where(s => s.Role != EndpointRole.Accepted).Select(WhyNot)) + ".";

    private static string WhyNot(EndpointState state) => state.Phase switch
    {
        EndpointPhase.Listening when state.LastError is not null => $"{state.Endpoint} is bound, but no peer is ready (last: {state.LastError})",
        EndpointPhase.Listening => $"{state.Endpoint} is bound, but no peer has connected",
        EndpointPhase.Handshaking => $"{state.Endpoint} is connected, but the peer has not finished its handshake",
        EndpointPhase.Refused => $"{state.Endpoint} was refused: {state.LastError}",
        _ when state.LastError is not null => $"{state.Endpoint}: {state.LastError}",
        _ => $"{state.Endpoint} is {Phase(state.Phase)}",
    };

    private static string Phase(EndpointPhase phase) => phase switch
    {
        EndpointPhase.Connecting => "connecting",
        EndpointPhase.Handshaking => "handshaking",
        EndpointPhase.Ready => Ready,
        EndpointPhase.Listening => "listening",
        EndpointPhase.BackingOff => "backing off",
        EndpointPhase.Refused => "refused",
        EndpointPhase.Stopped => "stopped",
        _ => "closed",
    };
}
