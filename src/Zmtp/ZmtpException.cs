using Zmtp.Wire;

namespace Zmtp;

/// <summary>Something went wrong with one connection or one socket.</summary>
public class ZmtpException : Exception
{
    /// <summary>Makes one with a message for people.</summary>
    public ZmtpException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>There is no peer to send to by that name (libzmq: EHOSTUNREACH).</summary>
/// <param name="message">Which name.</param>
public sealed class ZmtpUnreachableException(string message) : ZmtpException(message);

/// <summary>The peer broke the protocol or one of its limits; its connection is closed, no other.</summary>
/// <param name="error">The rule.</param>
/// <param name="detail">What was seen, for the log; empty when the rule says it all.</param>
public sealed class ZmtpProtocolException(ProtocolError error, string detail = "")
    : ZmtpException($"The peer broke the protocol: {error}{(detail.Length == 0 ? "" : $" ({detail})")}.")
{
    /// <summary>The rule that was broken.</summary>
    public ProtocolError Error { get; } = error;
}
