namespace Zmtp;

/// <content>What the transports take.</content>
public sealed partial class ZmtpOptions
{
    /// <summary>Length of a listener's queue. Default 100. (BACKLOG)</summary>
    public int Backlog { get; set; } = 100;

    /// <summary>Kernel send buffer in bytes. Default 0: the system's. (SNDBUF)</summary>
    public int SendBuffer { get; set; }

    /// <summary>Kernel receive buffer in bytes. Default 0: the system's. (RCVBUF)</summary>
    public int ReceiveBuffer { get; set; }
}
