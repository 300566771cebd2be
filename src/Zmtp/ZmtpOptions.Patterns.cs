namespace Zmtp;

/// <content>What single patterns take. An option that is given to a socket type which does not take it is refused when the socket is made.</content>
public sealed partial class ZmtpOptions
{
    /// <summary>Keep only the last message of each peer's queue, each way. DEALER, PUSH, PULL, PUB and SUB. Default false. (CONFLATE)</summary>
    public bool Conflate { get; set; }

    /// <summary>
    /// REQ, DEALER, PUSH, PAIR, CLIENT, SCATTER, CHANNEL: whether messages go to ready peers only. False, which a proxy does not take: an endpoint takes messages from its Connect on, up to the send high-water mark, and keeps
    /// what was not handed to a connection over reconnects. Default true, for a message that waits behind a dead endpoint helps nobody while another
    /// peer is ready. (IMMEDIATE, by default 0 there)
    /// </summary>
    public bool Immediate { get; set; } = true;

    /// <summary>REQ: number the requests and ignore replies to other ones. Default false. (REQ_CORRELATE)</summary>
    public bool ReqCorrelate { get; set; }

    /// <summary>REQ: a new request gives up the one that waits for its reply, instead of waiting for its turn. Use it with <see cref="ReqCorrelate"/>. Default false. (REQ_RELAXED)</summary>
    public bool ReqRelaxed { get; set; }

    /// <summary>REQ, DEALER, ROUTER: send an empty message on each new connection, so that a ROUTER peer learns of us. Default false. (PROBE_ROUTER)</summary>
    public bool ProbeRouter { get; set; }

    /// <summary>ROUTER: fail instead of dropping a message for a peer that is unknown or full. Default false. (ROUTER_MANDATORY)</summary>
    public bool RouterMandatory { get; set; }

    /// <summary>
    /// ROUTER: a new peer takes over the identity of one that has it, whose connection is closed. Never from another authenticated user. Default
    /// false: the new peer is refused. (ROUTER_HANDOVER)
    /// </summary>
    public bool RouterHandover { get; set; }

    /// <summary>ROUTER: receive <c>[identity] []</c> when a peer comes or goes. Default None. (ROUTER_NOTIFY)</summary>
    public RouterNotify RouterNotify { get; set; }

    /// <summary>XPUB: receive every subscription, not only the first of a topic. Default false. (XPUB_VERBOSE)</summary>
    public bool XPubVerbose { get; set; }

    /// <summary>XPUB: receive every subscription and every cancellation. Default false. (XPUB_VERBOSER)</summary>
    public bool XPubVerboser { get; set; }

    /// <summary>XPUB: subscriptions have no effect but to be received; the application subscribes peers itself. Default false. (XPUB_MANUAL)</summary>
    public bool XPubManual { get; set; }

    /// <summary>XPUB: as <see cref="XPubManual"/>, and the next message goes only to the peer whose subscription was received last. Default false. (XPUB_MANUAL_LAST_VALUE)</summary>
    public bool XPubManualLastValue { get; set; }

    /// <summary>PUB, XPUB: a send waits, or fails, while a subscriber that wants the message is full, instead of dropping it for that one. Default false. (XPUB_NODROP)</summary>
    public bool XPubNoDrop { get; set; }

    /// <summary>PUB, XPUB: a message of one frame that each new peer is sent first; its SUB has to subscribe to it to see it. Default empty: none. (XPUB_WELCOME_MSG)</summary>
    public byte[] WelcomeMessage { get; set; } = [];

    /// <summary>PUB, XPUB, SUB: deliver what does not match. Has to be set on both sides. Default false. (INVERT_MATCHING)</summary>
    public bool InvertMatching { get; set; }

    /// <summary>DEALER, ROUTER, CLIENT, SERVER, PEER: a message of one frame that is sent first on each new connection. Default empty: none. (HELLO_MSG)</summary>
    public byte[] HelloMessage { get; set; } = [];

    /// <summary>ROUTER, SERVER, PEER: a message of one frame that is received when a peer that had connected to us is gone. Default empty: none. (DISCONNECT_MSG)</summary>
    public byte[] DisconnectMessage { get; set; } = [];

    /// <summary>DEALER, CLIENT, PEER: a message of one frame that is received when a connection of ours was lost. Default empty: none. (HICCUP_MSG)</summary>
    public byte[] HiccupMessage { get; set; } = [];
}

/// <summary>What a ROUTER tells of its peers. (ROUTER_NOTIFY)</summary>
[Flags]
public enum RouterNotify
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>That one came.</summary>
    Connect = 1,

    /// <summary>That one went.</summary>
    Disconnect = 2,
}
