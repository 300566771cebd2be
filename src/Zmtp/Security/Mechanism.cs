using System.Buffers;
using Zmtp.Wire;

namespace Zmtp.Security;

/// <summary>A security mechanism's side of one handshake: commands in, commands out. Pure: no socket, no clock.</summary>
internal abstract class Mechanism
{
    /// <summary>Name in the greeting: NULL, PLAIN or CURVE.</summary>
    public abstract string Name { get; }

    /// <summary>Whether we are the mechanism's server.</summary>
    public abstract bool IsServer { get; }

    /// <summary>The peer's properties, after Done.</summary>
    public Metadata Properties { get; protected set; } = new();

    /// <summary>The greeting has been exchanged: writes what we say first, if anything.</summary>
    public abstract void Start(IBufferWriter<byte> output);

    /// <summary>Takes one command and writes the answer, if any, as whole frames.</summary>
    /// <param name="error">With Failed: the rule that was broken.</param>
    /// <param name="reason">With Failed: the peer's words from ERROR, or what was wrong.</param>
    public abstract HandshakeStep Receive(Command command, IBufferWriter<byte> output, out ProtocolError error, out string reason);
}

/// <summary>What a handshake needs next.</summary>
internal enum HandshakeStep
{
    /// <summary>Another command of the peer.</summary>
    Continue,

    /// <summary>Nothing: messages may flow.</summary>
    Done,

    /// <summary>The end of the connection. What was written goes out first.</summary>
    Failed,
}
