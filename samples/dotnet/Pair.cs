using Zmtp;
using Zmtp.Sockets;

namespace Samples;

/// <summary>PAIR joins two parts of one program, both ways; inproc hands messages over without bytes on a wire.</summary>
internal static class Pair
{
    public static async Task RunAsync()
    {
        await using var left = new PairSocket();
        await using var right = new PairSocket();
        right.Connect(left.Bind("inproc://pair"));
        await left.SendAsync(Message.Of("ping"));
        using var ping = await right.ReceiveAsync();
        await right.SendAsync(Message.Of(ping.Text(0), "pong"));
        using var pong = await left.ReceiveAsync();
        Console.WriteLine($"{pong.Text(0)} {pong.Text(1)}");
    }
}
