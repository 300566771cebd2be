using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Gateway.WebSockets;

/// <summary>Masking (RFC 6455, 5.3). The same operation masks and unmasks.</summary>
internal static class WebSocketMask
{
    /// <summary>Applies the key in place. Steps of 64, 32 or 16 bytes, then 8, then 1 (WebSocketBenchmarks.Unmask).</summary>
    /// <param name="key">The four octets of the key as they lie in memory (<see cref="MemoryMarshal.Read{T}"/>), turned to the next payload byte.</param>
    /// <returns>The key for the byte that follows <paramref name="data"/>.</returns>
    public static uint Apply(Span<byte> data, uint key)
    {
        var next = Turn(key, data.Length);
        if (Vector512.IsHardwareAccelerated)
        {
            var mask = Vector512.Create(key).AsByte();
            for (; data.Length >= 64; data = data[64..]) (Vector512.Create<byte>(data) ^ mask).CopyTo(data);
        }

        if (Vector256.IsHardwareAccelerated)
        {
            var mask = Vector256.Create(key).AsByte();
            for (; data.Length >= 32; data = data[32..]) (Vector256.Create<byte>(data) ^ mask).CopyTo(data);
        }

        if (Vector128.IsHardwareAccelerated)
        {
            var mask = Vector128.Create(key).AsByte();
            for (; data.Length >= 16; data = data[16..]) (Vector128.Create<byte>(data) ^ mask).CopyTo(data);
        }

        var wide = ((ulong)key << 32) | key;
        for (; data.Length >= 8; data = data[8..]) MemoryMarshal.Write(data, MemoryMarshal.Read<ulong>(data) ^ wide);
        var octets = MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in key));
        for (var i = 0; i < data.Length; i++) data[i] ^= octets[i & 3];
        return next;
    }

    private static uint Turn(uint key, int bytes) => BitConverter.IsLittleEndian
        ? BitOperations.RotateRight(key, (bytes & 3) * 8)
        : BitOperations.RotateLeft(key, (bytes & 3) * 8);
}
