using System.Diagnostics;

namespace Gateway.Tests.TestSupport;

/// <summary>Two network namespaces with a cable between them that can be pulled; nothing outside of them has these addresses.</summary>
internal sealed class NetworkPair : IAsyncDisposable
{
    private static int _count;

    private NetworkPair(string name) => (Near, Far) = ($"{name}a", $"{name}b");

    /// <summary>Namespace of 10.77.0.1.</summary>
    public string Near { get; }

    /// <summary>Namespace of <see cref="FarAddress"/>.</summary>
    public string Far { get; }

    public string FarAddress { get; } = "10.77.0.2";

    /// <summary>Makes them, which needs root and iproute2; null where it cannot be done.</summary>
    public static async Task<NetworkPair?> TryCreateAsync()
    {
        var pair = new NetworkPair($"gw{Environment.ProcessId}x{Interlocked.Increment(ref _count)}");
        foreach (var command in (string[])
        [
            $"netns add {pair.Near}", $"netns add {pair.Far}", $"-n {pair.Near} link add gw0 type veth peer name gw0 netns {pair.Far}",
            $"-n {pair.Near} addr add 10.77.0.1/24 dev gw0", $"-n {pair.Far} addr add {pair.FarAddress}/24 dev gw0",
            $"-n {pair.Near} link set gw0 up", $"-n {pair.Far} link set gw0 up",
        ])
        {
            if (await TryIpAsync(command)) continue;
            await pair.DisposeAsync();
            return null;
        }

        return pair;
    }

    /// <summary>Takes the far end down or up again; neither side is told by a packet.</summary>
    public async Task SetLinkAsync(bool up) => Assert.True(await TryIpAsync($"-n {Far} link set gw0 {(up ? "up" : "down")}"));

    public async ValueTask DisposeAsync()
    {
        // Those that were never made are not there to be deleted.
        await TryIpAsync($"netns del {Near}");
        await TryIpAsync($"netns del {Far}");
    }

    private static async Task<bool> TryIpAsync(string arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("ip", arguments) { UseShellExecute = false, RedirectStandardError = true })!;
            await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // There is no such program here.
            return false;
        }
    }
}
