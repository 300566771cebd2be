namespace Zmtp;

/// <summary>
/// We ended a connection because something on it was given up: a frame that was not written to its end, a request whose reply nobody waits
/// for. The peer did nothing wrong, so an endpoint that we connect to is connected to again at once, without back-off.
/// </summary>
/// <param name="message">What was given up.</param>
public sealed class ZmtpAbandonedException(string message) : ZmtpException(message);
