using Zmtp;
using Zmtp.Sockets;

namespace Samples;

/// <summary>PUB sends to everybody who subscribed to a prefix of the first frame. XPUB is told of subscriptions, so the sample need not sleep.</summary>
internal static class PublishSubscribe
{
    public static async Task RunAsync()
    {
        await using var publisher = new XPubSocket();
        await using var subscriber = new SubSocket();
        subscriber.Subscribe("weather.");
        subscriber.Connect(publisher.Bind("tcp://127.0.0.1:*"));
        using (await publisher.ReceiveAsync())
        {
            // The subscription has arrived; what was published before would have reached nobody.
        }

        publisher.Send(Message.Of("news", "not asked for"));
        publisher.Send(Message.Of("weather.oslo", "-3"));
        publisher.Send(Message.Of("weather.rome", "14"));
        for (var i = 0; i < 2; i++)
        {
            using var message = await subscriber.ReceiveAsync();
            Console.WriteLine($"{message.Text(0)}: {message.Text(1)}");
        }
    }
}
