using System.Security.Cryptography;
using System.Text.Json;

namespace Gateway.Tests.TestSupport;

/// <summary>Traffic captured between two libzmq sockets (Debian's 4.3.4), as units in the order of the stream.</summary>
/// <param name="Order">Whose unit was next, the client's or not; a close is left out.</param>
internal sealed record VectorFile(string Name, byte[][] ClientToServer, byte[][] ServerToClient, bool[] Order)
{
    public static VectorFile Load(string name)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(SourceTree.PathOf($"src/Gateway.Tests/Vectors/{name}.json")));
        return new VectorFile(name, Units(json.RootElement.GetProperty("clientToServer")), Units(json.RootElement.GetProperty("serverToClient")), Sides(json.RootElement.GetProperty("order")));
    }

    private static bool[] Sides(JsonElement order) =>
        [.. order.EnumerateArray().Select(step => step.GetString()!).Where(step => !step.EndsWith("<closed>", StringComparison.Ordinal)).Select(step => step[0] == 'C')];

    private static byte[][] Units(JsonElement units) => [.. units.EnumerateArray().Select(Unit)];

    private static byte[] Unit(JsonElement unit)
    {
        if (unit.ValueKind == JsonValueKind.String) return Convert.FromHexString(unit.GetString()!);
        // Long units are described. Over WebSocket: a server's message with a frame of zeros.
        if (unit.GetProperty("head").GetString()!.StartsWith("827f", StringComparison.Ordinal)) return Described(unit, ZwsBytes.Frame(0, new byte[unit.GetProperty("length").GetInt32() - 11], mask: false));
        // Else: a long frame whose body byte i is i mod 251.
        var body = Enumerable.Range(0, unit.GetProperty("length").GetInt32() - 9).Select(i => (byte)(i % 251)).ToArray();
        return Described(unit, ZmtpBytes.Frame(body));
    }

    private static byte[] Described(JsonElement unit, byte[] bytes)
    {
        Assert.Equal(unit.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        return bytes;
    }
}
