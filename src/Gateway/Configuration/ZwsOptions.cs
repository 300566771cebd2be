namespace Gateway.Configuration;

/// <summary>How ZeroMQ peers over WebSocket (jszmq, libzmq's <c>ws://</c>) are served on a route.</summary>
public sealed class ZwsOptions
{
    /// <summary>Whether they are served. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Who may come in, as for a backend; the gateway is the server. With a mechanism, or lists, only <c>ZWS2.0/PLAIN</c>, <c>ZWS2.0/CURVE</c> or
    /// <c>ZWS2.0/NULL</c> is spoken, and never bare <c>ZWS2.0</c>. Other clients of the route are not affected.
    /// </summary>
    public SecurityOptions Security { get; set; } = new();
}
