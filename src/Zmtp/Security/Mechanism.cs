using System.Buffers;
using Zmtp.Wire;

namespace Zmtp.Security;

/// <summary>A security mechanism's side of one handshake: commands in, commands out. Pure: no socket, no clock.</summary>
internal abstract class Mechanism : IDisposable
{
    /// <summary>Name in the greeting: NULL, PLAIN or CURVE.</summary>
    public abstract string Name { get; }

    /// <summary>Whether we are the mechanism's server.</summary>
    public abstract bool IsServer { get; }

    /// <summary>The application's own properties, announced beside the standard ones.</summary>
    public IReadOnlyDictionary<string, byte[]> OwnMetadata { get; set; } = new Dictionary<string, byte[]>();

    /// <summary>The peer's properties, after Done.</summary>
    public Metadata Properties { get; protected set; } = new();

    /// <summary>Encrypts and decrypts traffic, after Done; null for mechanisms in clear text.</summary>
    public FrameProtection? Protection { get; protected set; }

    /// <summary>With Authenticate: what the peer has shown, one entry a credential.</summary>
    public virtual IReadOnlyList<byte[]> Credentials => [];

    /// <summary>Largest command that the mechanism expects, in bytes.</summary>
    public virtual int MaxCommandBytes => 2048;

    /// <summary>Most bytes of the peer before it is ready.</summary>
    public virtual int MaxHandshakeBytes => 4096;

    /// <summary>The greeting has been exchanged: writes what we say first, if anything.</summary>
    /// <returns>Continue, or Authenticate when a decision comes first.</returns>
    public abstract HandshakeStep Start(IBufferWriter<byte> output);

    /// <summary>Takes one command and writes the answer, if any, as whole frames.</summary>
    /// <param name="error">With Failed: the rule that was broken.</param>
    /// <param name="reason">With Failed: the peer's words from ERROR, or what was wrong.</param>
    public abstract HandshakeStep Receive(Command command, IBufferWriter<byte> output, out ProtocolError error, out string reason);

    /// <summary>The answer to Authenticate: writes what an accepted peer waits for, or ERROR.</summary>
    public virtual HandshakeStep Authenticated(AuthenticationResult result, IBufferWriter<byte> output) =>
        throw new InvalidOperationException($"{Name} has not asked.");

    /// <summary>Forgets secrets.</summary>
    public virtual void Dispose() => GC.SuppressFinalize(this);

    /// <summary>Writes ERROR with a status of three digits; 300 (try later) is a silent close.</summary>
    protected static void WriteError(IBufferWriter<byte> output, int status)
    {
        if (status is < 400 or > 999) return;
        Span<byte> data = [3, (byte)('0' + (status / 100)), (byte)('0' + (status / 10 % 10)), (byte)('0' + (status % 10))];
        output.Advance(Command.WriteFrame(output.GetSpan(32), CommandNames.Error, data));
    }

    /// <summary>Fails with a reason.</summary>
    protected static HandshakeStep Fail(ProtocolError rule, string words, out ProtocolError error, out string reason)
    {
        (error, reason) = (rule, words);
        return HandshakeStep.Failed;
    }
}

/// <summary>What a handshake needs next.</summary>
internal enum HandshakeStep
{
    /// <summary>Another command of the peer.</summary>
    Continue,

    /// <summary>A decision on <see cref="Mechanism.Credentials"/>.</summary>
    Authenticate,

    /// <summary>Nothing: messages may flow.</summary>
    Done,

    /// <summary>The end of the connection. What was written goes out first.</summary>
    Failed,
}
