using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>The rule of the thread-safe sockets: a message is one frame.</summary>
internal static class SinglePart
{
    /// <exception cref="ArgumentException">The message has not exactly one frame.</exception>
    public static void Check(SocketType type, Message message)
    {
        if (message.Count != 1) throw new ArgumentException($"A {type.Name()} socket sends messages of one frame; this one has {message.Count}.", nameof(message));
    }
}
