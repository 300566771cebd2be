using Zmtp;
using Zmtp.Sockets;

namespace Samples;

/// <summary>REQ asks, REP answers; one request at a time.</summary>
internal static class RequestReply
{
    public static async Task RunAsync()
    {
        await using var service = new RepSocket();
        var endpoint = service.Bind("tcp://127.0.0.1:*");
        var serving = ServeAsync(service);

        await using var client = new ReqSocket();
        client.Connect(endpoint);
        foreach (var name in (string[])["Ada", "Grace"])
        {
            using var reply = await client.RequestAsync(Message.Of(name));
            Console.WriteLine(reply.Text(0));
        }

        await serving;
    }

    private static async Task ServeAsync(RepSocket service)
    {
        for (var i = 0; i < 2; i++)
        {
            using var request = await service.ReceiveAsync();
            service.Send(Message.Of($"Hello {request.Text(0)}"));
        }
    }
}
