using System.Security.Cryptography;
using Zmtp;

namespace Gateway.Tests.Interop;

/// <summary>The messages that the peers of these tests send and expect; <c>Peers/peer.py</c> has the same.</summary>
internal static class StandardMessages
{
    private static readonly int[][] Sizes = [[0], [1], [255], [256], [0, 255, 256], [3, 0, 70_000], [8 << 20]];

    public static int Count => Sizes.Length;

    public static Message Make(int index)
    {
        var message = Message.Create();
        foreach (var size in Sizes[index]) message.Add(Body(size));
        return message;
    }

    /// <summary>As the peers print a message: sizes and digest.</summary>
    public static string Describe(Message message)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < message.Count; i++) hash.AppendData(message[i].Span);
        return $"{string.Join('/', Enumerable.Range(0, message.Count).Select(i => message[i].Length))} {Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }

    public static List<string> Descriptions()
    {
        var descriptions = new List<string>();
        for (var i = 0; i < Count; i++)
        {
            using var message = Make(i);
            descriptions.Add(Describe(message));
        }

        return descriptions;
    }

    private static byte[] Body(int size)
    {
        var body = new byte[size];
        for (var i = 0; i < size; i++) body[i] = (byte)(i % 251);
        return body;
    }
}
