using System.Net.Sockets;

namespace Gateway.WebSockets;

/// <summary>What an accepted handshake leaves: the connection's bytes in both directions.</summary>
/// <param name="Stream">Reads and, where no <paramref name="Socket"/> is used, writes.</param>
/// <param name="Socket">On plaintext HTTP/1.1 the connection's socket, else null. Who writes to it is the connection's only writer from
/// then on and writes nothing to <paramref name="Stream"/>; it must neither be read from nor be closed.</param>
/// <param name="Subprotocol">The one that was agreed on, or null.</param>
internal sealed record WebSocketTransport(Stream Stream, Socket? Socket, string? Subprotocol);
