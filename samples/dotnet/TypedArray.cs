using System.Runtime.InteropServices;
using Zmtp;
using Zmtp.Sockets;

namespace Samples;

/// <summary>An array of numbers behind a line of JSON, as pyzmq and numpy users send them. It goes to the system from where it lies: no copy.</summary>
internal static class TypedArray
{
    public static async Task RunAsync()
    {
        await using var pull = new PullSocket();
        await using var push = new PushSocket();
        push.Connect(pull.Bind("tcp://127.0.0.1:*"));

        var samples = new double[1_000_000];
        for (var i = 0; i < samples.Length; i++) samples[i] = i / 2.0;
        var sent = new TaskCompletionSource();
        var message = Message.Of($$"""{"dtype":"<f8","shape":[{{samples.Length}}]}""");
        message.AddValues<double>(samples, sent.SetResult);
        await push.SendAsync(message);

        using var received = await pull.ReceiveAsync();
        // The array is ours again: nothing refers to it any more.
        await sent.Task;
        // Nor is it copied here: the numbers are seen in the frame's bytes.
        var numbers = MemoryMarshal.Cast<byte, double>(received[1].Span);
        Console.WriteLine($"{received.Text(0)}: {numbers.Length} numbers, the last is {numbers[^1]}");
    }
}
