using Zmtp;
using Zmtp.Sockets;

namespace Samples;

/// <summary>DEALER asks many questions at once, ROUTER answers each asker in any order: the first frame is who it is.</summary>
internal static class RouterDealer
{
    public static async Task RunAsync()
    {
        await using var router = new RouterSocket();
        var endpoint = router.Bind("tcp://127.0.0.1:*");
        await using var dealer = new DealerSocket(new ZmtpOptions { Identity = "client-1"u8.ToArray() });
        dealer.Connect(endpoint);
        for (var i = 1; i <= 3; i++) await dealer.SendAsync(Message.Of($"question {i}"));

        var questions = new Stack<Message>();
        for (var i = 1; i <= 3; i++) questions.Push(await router.ReceiveAsync());
        while (questions.TryPop(out var question))
        {
            using (question) router.Send(Message.Of(question.Text(0), $"answer to {question.Text(1)}"));
        }

        for (var i = 1; i <= 3; i++)
        {
            using var answer = await dealer.ReceiveAsync();
            Console.WriteLine(answer.Text(0));
        }
    }
}
