using System.Text.Json;
using Gateway.Tests.TestSupport;
using Zmtp.Security;

namespace Gateway.Tests.Zmtp.Security;

/// <summary>What libsodium 1.0.18 (through PyNaCl) and libzmq's Z85 computed: Vectors/crypto.json.</summary>
public class CryptoVectorTests
{
    private static readonly JsonElement Vectors = JsonDocument.Parse(File.ReadAllText(SourceTree.PathOf("src/Gateway.Tests/Vectors/crypto.json"))).RootElement;

    [Fact]
    public void Shared_keys_are_those_of_X25519_and_HSalsa20_from_both_sides()
    {
        foreach (var vector in Vectors.GetProperty("x25519").EnumerateArray())
        {
            var shared = new byte[Sodium.KeySize];
            Assert.True(Sodium.TrySharedKey(shared, Bytes(vector, "publicB"), Bytes(vector, "secretA")));
            Assert.Equal(Bytes(vector, "boxKeyAfterHSalsa20"), shared);
            Assert.True(Sodium.TrySharedKey(shared, Bytes(vector, "publicA"), Bytes(vector, "secretB")));
            Assert.Equal(Bytes(vector, "boxKeyAfterHSalsa20"), shared);
            Sodium.PublicKey(shared, Bytes(vector, "secretA"));
            Assert.Equal(Bytes(vector, "publicA"), shared);
        }
    }

    [Fact]
    public void Public_keys_of_low_order_are_refused()
    {
        foreach (var vector in Vectors.GetProperty("x25519AllZeroResult").EnumerateArray())
            Assert.False(Sodium.TrySharedKey(new byte[Sodium.KeySize], Bytes(vector, "public"), CurveKeyPair.Generate().SecretKey));
    }

    [Fact]
    public void Boxes_are_sealed_and_opened_to_the_bit()
    {
        foreach (var vector in Vectors.GetProperty("box").EnumerateArray())
        {
            byte[] theirs = new byte[Sodium.KeySize], shared = new byte[Sodium.KeySize];
            Sodium.PublicKey(theirs, Bytes(vector, "recipientSecret"));
            Assert.True(Sodium.TrySharedKey(shared, theirs, Bytes(vector, "senderSecret")));
            var message = Bytes(vector, "message");
            var box = new byte[message.Length + Sodium.MacSize];
            Sodium.Seal(box, message, Bytes(vector, "nonce"), shared);
            Assert.Equal(Bytes(vector, "box"), box);
            var opened = new byte[message.Length];
            Assert.True(Sodium.TryOpen(opened, box, Bytes(vector, "nonce"), shared));
            Assert.Equal(message, opened);
            box[^1] ^= 1;
            Assert.False(Sodium.TryOpen(opened, box, Bytes(vector, "nonce"), shared));
        }
    }

    [Fact]
    public void Secret_boxes_are_sealed_and_opened_to_the_bit()
    {
        foreach (var vector in Vectors.GetProperty("secretbox").EnumerateArray())
        {
            var message = Bytes(vector, "message");
            var box = new byte[message.Length + Sodium.MacSize];
            Sodium.SealSecret(box, message, Bytes(vector, "nonce"), Bytes(vector, "key"));
            Assert.Equal(Bytes(vector, "box"), box);
            var opened = new byte[message.Length];
            Assert.True(Sodium.TryOpenSecret(opened, box, Bytes(vector, "nonce"), Bytes(vector, "key")));
            Assert.Equal(message, opened);
        }
    }

    [Fact]
    public void Z85_agrees_with_libzmq_on_what_is_text_and_what_is_not()
    {
        foreach (var vector in Vectors.GetProperty("z85").EnumerateArray())
        {
            Assert.Equal(vector.GetProperty("text").GetString(), Z85.Encode(Bytes(vector, "data")));
            Assert.True(Z85.TryDecode(vector.GetProperty("text").GetString()!, out var bytes));
            Assert.Equal(Bytes(vector, "data"), bytes);
        }

        foreach (var vector in Vectors.GetProperty("z85Decode").EnumerateArray())
            Assert.Equal(vector.GetProperty("libzmq").GetString() == "accepted", Z85.TryDecode(vector.GetProperty("text").GetString()!, out _));
    }

    private static byte[] Bytes(JsonElement vector, string name) => Convert.FromHexString(vector.GetProperty(name).GetString()!);
}
