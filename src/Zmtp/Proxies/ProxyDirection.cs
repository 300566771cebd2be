namespace Zmtp.Proxies;

/// <summary>Which way a message went.</summary>
public enum ProxyDirection
{
    /// <summary>From the frontend to the backend.</summary>
    In,

    /// <summary>From the backend to the frontend.</summary>
    Out,
}
