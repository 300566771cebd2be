using System.Security.Cryptography;
using System.Text.Json;

namespace Gateway.Tests.TestSupport;

/// <summary>Traffic captured between two libzmq sockets (Debian's 4.3.4), as units in the order of the stream.</summary>
internal sealed record VectorFile(string Name, byte[][] ClientToServer, byte[][] ServerToClient)
{
    public static VectorFile Load(string name)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(SourceTree.PathOf($"src/Gateway.Tests/Vectors/{name}.json")));
        return new VectorFile(name, Units(json.RootElement.GetProperty("clientToServer")), Units(json.RootElement.GetProperty("serverToClient")));
    }

    private static byte[][] Units(JsonElement units) => [.. units.EnumerateArray().Select(Unit)];

    private static byte[] Unit(JsonElement unit)
    {
        if (unit.ValueKind == JsonValueKind.String) return Convert.FromHexString(unit.GetString()!);
        // Long units are described: a long frame whose body byte i is i mod 251.
        var body = Enumerable.Range(0, unit.GetProperty("length").GetInt32() - 9).Select(i => (byte)(i % 251)).ToArray();
        var bytes = ZmtpBytes.Frame(body);
        Assert.Equal(unit.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        return bytes;
    }
}
