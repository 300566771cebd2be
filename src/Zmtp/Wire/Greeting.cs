using System.Buffers;
using System.Text;

namespace Zmtp.Wire;

/// <summary>The first 64 bytes each way: version, mechanism and role (37/ZMTP 3.1, "Greeting").</summary>
/// <param name="Major">Protocol version; 3 or more.</param>
/// <param name="Minor">0 for ZMTP 3.0 (subscriptions travel as messages), 1 for 3.1.</param>
/// <param name="Mechanism">NULL, PLAIN, CURVE or another name of 1 to 20 characters.</param>
/// <param name="AsServer">The peer's as-server octet. libzmq always sends 0, so the role comes from configuration.</param>
internal readonly record struct Greeting(byte Major, byte Minor, string Mechanism, bool AsServer)
{
    /// <summary>Bytes of a greeting.</summary>
    public const int Size = 64;

    private const int MechanismOffset = 12;
    private const int MechanismSize = 20;

    /// <summary>Writes our greeting: version 3.1.</summary>
    /// <param name="output">At least <see cref="Size"/> bytes.</param>
    /// <param name="mechanism">1 to 20 ASCII characters.</param>
    /// <param name="asServer">Whether we are the server of the mechanism; 0 for NULL.</param>
    public static void Write(Span<byte> output, string mechanism, bool asServer)
    {
        output[..Size].Clear();
        output[0] = 0xFF;
        output[9] = 0x7F;
        (output[10], output[11]) = (3, 1);
        Encoding.ASCII.GetBytes(mechanism, output.Slice(MechanismOffset, MechanismSize));
        output[32] = asServer ? (byte)1 : (byte)0;
    }

    /// <summary>Reads what has arrived of the peer's greeting and decides as early as the bytes allow: peers send it in steps.</summary>
    /// <param name="input">Everything received so far.</param>
    /// <param name="mechanism">Our mechanism; the peer's must be the same.</param>
    /// <param name="greeting">With Done: the peer's greeting; the first 64 bytes are consumed.</param>
    /// <param name="error">With InvalidData: NotZmtp, UnsupportedVersion or MechanismMismatch.</param>
    public static OperationStatus TryParse(ReadOnlySpan<byte> input, string mechanism, out Greeting greeting, out ProtocolError error)
    {
        (greeting, error) = (default, Check(input, mechanism));
        if (error != ProtocolError.None) return OperationStatus.InvalidData;
        if (input.Length < Size) return OperationStatus.NeedMoreData;
        greeting = new Greeting(input[10], input[11], mechanism, (input[32] & 1) != 0);
        return OperationStatus.Done;
    }

    /// <summary>The mechanism that a refused peer announced, for the log; empty when it did not come that far.</summary>
    public static string AnnouncedMechanism(ReadOnlySpan<byte> input)
    {
        if (input.Length <= MechanismOffset) return "";
        var name = input[MechanismOffset..Math.Min(input.Length, MechanismOffset + MechanismSize)].TrimEnd((byte)0);
        foreach (var octet in name)
        {
            if (octet is < 0x21 or > 0x7E) return "";
        }

        return Encoding.ASCII.GetString(name);
    }

    private static ProtocolError Check(ReadOnlySpan<byte> input, string mechanism)
    {
        // The eight octets between are padding and not looked at: libzmq puts a length there.
        if (input.Length > 0 && input[0] != 0xFF) return ProtocolError.NotZmtp;
        if (input.Length > 9 && input[9] != 0x7F) return ProtocolError.UnsupportedVersion;
        if (input.Length > 10 && input[10] < 3) return ProtocolError.UnsupportedVersion;
        for (var i = MechanismOffset; i < input.Length && i < MechanismOffset + MechanismSize; i++)
        {
            var index = i - MechanismOffset;
            if (input[i] != (index < mechanism.Length ? (byte)mechanism[index] : 0)) return ProtocolError.MechanismMismatch;
        }

        return ProtocolError.None;
    }
}
