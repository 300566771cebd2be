using System.Buffers.Binary;
using System.Text;

namespace Zmtp.Wire;

/// <summary>The properties of READY, INITIATE and ZAP replies: names with values (37/ZMTP 3.1, "Metadata").</summary>
/// <remarks>Names are compared without case; <c>Socket-Type</c>, <c>Identity</c> and <c>Resource</c> are the standard ones, <c>X-</c> names the application's.</remarks>
public sealed class Metadata
{
    /// <summary>The property that holds an authenticated peer's user id (27/ZAP).</summary>
    public const string UserIdName = "User-Id";

    /// <summary>Most properties accepted.</summary>
    public const int MaxProperties = 64;

    private readonly Dictionary<string, byte[]> _values = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The names, in no particular order.</summary>
    public IReadOnlyCollection<string> Names => _values.Keys;

    /// <summary>The value of a property, or null.</summary>
    public byte[]? this[string name] => _values.GetValueOrDefault(name);

    /// <summary>Reads properties up to the end of <paramref name="input"/>. Never throws.</summary>
    /// <returns>None, MalformedMetadata for an overrun, a leftover, an illegal name or a repeated standard name.</returns>
    public static ProtocolError TryParse(ReadOnlySpan<byte> input, out Metadata metadata)
    {
        metadata = new Metadata();
        while (!input.IsEmpty)
        {
            int nameLength = input[0];
            if (nameLength == 0 || input.Length < 1 + nameLength + 4 || metadata._values.Count == MaxProperties) return ProtocolError.MalformedMetadata;
            var nameBytes = input.Slice(1, nameLength);
            foreach (var octet in nameBytes)
            {
                if (!IsNameOctet(octet)) return ProtocolError.MalformedMetadata;
            }

            var name = Encoding.ASCII.GetString(nameBytes);
            var length = BinaryPrimitives.ReadUInt32BigEndian(input[(1 + nameLength)..]);
            input = input[(1 + nameLength + 4)..];
            if (length > (uint)input.Length) return ProtocolError.MalformedMetadata;
            // The specification is silent on repeated names; for the two that decide something a repetition is refused.
            if (!metadata._values.TryAdd(name, input[..(int)length].ToArray()) && IsStandard(name)) return ProtocolError.MalformedMetadata;
            input = input[(int)length..];
        }

        return ProtocolError.None;
    }

    /// <summary>What is known of an authenticated peer: its own properties, the decision's instead of them where both name one, and its user id.</summary>
    /// <remarks>A <c>User-Id</c> that the peer itself announced is dropped: libzmq lets it pass, and an application would believe it.</remarks>
    internal Metadata Authenticated(string userId, Metadata? decided)
    {
        var all = new Metadata();
        foreach (var (name, value) in _values) all._values[name] = value;
        foreach (var (name, value) in decided?._values ?? [])
        {
            if (!IsStandard(name)) all._values[name] = value;
        }

        all._values.Remove(UserIdName);
        if (userId.Length > 0) all._values[UserIdName] = Encoding.UTF8.GetBytes(userId);
        return all;
    }

    /// <summary>Bytes that a property takes.</summary>
    public static int PropertySize(string name, int valueLength) => 1 + name.Length + 4 + valueLength;

    /// <summary>Writes one property.</summary>
    /// <returns>Bytes written.</returns>
    public static int WriteProperty(Span<byte> output, string name, ReadOnlySpan<byte> value)
    {
        output[0] = (byte)name.Length;
        Encoding.ASCII.GetBytes(name, output[1..]);
        BinaryPrimitives.WriteInt32BigEndian(output[(1 + name.Length)..], value.Length);
        value.CopyTo(output[(5 + name.Length)..]);
        return PropertySize(name, value.Length);
    }

    private static bool IsStandard(string name) =>
        name.Equals("Socket-Type", StringComparison.OrdinalIgnoreCase) || name.Equals("Identity", StringComparison.OrdinalIgnoreCase);

    private static bool IsNameOctet(byte octet) =>
        char.IsAsciiLetterOrDigit((char)octet) || octet is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'+';
}
