using System.Text.Unicode;

namespace Gateway.WebSockets;

/// <summary>Checks UTF-8 that arrives in pieces, and refuses it at the first byte that no continuation can repair (RFC 3629).</summary>
/// <remarks>A mutable struct: keep it in a field. <c>default</c> is the state before the first byte.</remarks>
internal struct Utf8Check
{
    // How many continuation bytes are missing, and the range of the next one; the range is narrower after E0, ED, F0 and F4.
    private byte _missing;
    private byte _lowest;
    private byte _highest;

    /// <summary>Whether the text so far ends at a whole character.</summary>
    public readonly bool IsComplete => _missing == 0;

    /// <summary>Takes the next piece.</summary>
    /// <returns>False: no text begins like this. The state is then undefined.</returns>
    public bool Append(ReadOnlySpan<byte> piece)
    {
        var start = 0;
        while (_missing > 0 && start < piece.Length)
            if (!Step(piece[start++])) return false;

        piece = piece[start..];
        var tail = BeginningAtEnd(piece);
        if (!Utf8.IsValid(piece[..^tail])) return false;
        foreach (var octet in piece[^tail..])
            if (!Step(octet)) return false;

        return true;
    }

    private bool Step(byte octet)
    {
        if (_missing == 0) return Begin(octet);
        if (octet < _lowest || octet > _highest) return false;
        _missing--;
        (_lowest, _highest) = (0x80, 0xBF);
        return true;
    }

    private bool Begin(byte octet)
    {
        (_lowest, _highest) = octet switch
        {
            0xE0 => ((byte)0xA0, (byte)0xBF), // Below: overlong.
            0xED => ((byte)0x80, (byte)0x9F), // Above: surrogates.
            0xF0 => ((byte)0x90, (byte)0xBF), // Below: overlong.
            0xF4 => ((byte)0x80, (byte)0x8F), // Above: beyond U+10FFFF.
            _ => ((byte)0x80, (byte)0xBF),
        };
        _missing = octet switch { < 0xE0 => 1, < 0xF0 => 2, _ => 3 };
        return octet is >= 0xC2 and <= 0xF4;
    }

    // Bytes at the end that may be the beginning of a character; everything before them is judged as a whole.
    private static int BeginningAtEnd(ReadOnlySpan<byte> piece)
    {
        if (piece.Length >= 1 && piece[^1] >= 0xC0) return 1;
        if (piece.Length >= 2 && piece[^2] >= 0xE0) return 2;
        return piece.Length >= 3 && piece[^3] >= 0xF0 ? 3 : 0;
    }
}
