namespace Zmtp.Wire;

/// <summary>The first octet of a frame (37/ZMTP 3.1, "Framing").</summary>
[Flags]
internal enum FrameFlags : byte
{
    /// <summary>The last frame of a message, with a one-octet length.</summary>
    None = 0,

    /// <summary>Further frames of the message follow. Never set on a command.</summary>
    More = 1,

    /// <summary>The length has eight octets instead of one.</summary>
    Long = 2,

    /// <summary>The body is a command, not a part of a message.</summary>
    Command = 4,

    /// <summary>All bits with a meaning; the other five are reserved and zero.</summary>
    All = More | Long | Command,
}
