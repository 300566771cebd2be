using Gateway.Backends.Calling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Backends.Calling;

public class LaneTurnTests
{
    private readonly TaskCompletionSource<bool> _handled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task A_request_that_begins_on_the_thread_that_completes_a_reply_moves_to_another()
    {
        var handle = Pipeline();
        using var mayEnd = new ManualResetEventSlim();
        Task handling;
        LaneTurn.Begin();
        try
        {
            // Were it handled here, this would not return before the handler has.
            handling = handle(Context(() => mayEnd.Wait(TimeSpan.FromSeconds(20)), static () => LaneTurn.IsActive));
        }
        finally
        {
            LaneTurn.End();
        }

        Assert.False(handling.IsCompleted);
        mayEnd.Set();
        await handling.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.False(await _handled.Task);
    }

    [Fact]
    public async Task Any_other_request_is_handled_where_it_begins()
    {
        var thread = Environment.CurrentManagedThreadId;
        var handling = Pipeline()(Context(static () => { }, () => Environment.CurrentManagedThreadId == thread));
        Assert.True(handling.IsCompletedSuccessfully);
        Assert.True(await _handled.Task);
    }

    private static RequestDelegate Pipeline()
    {
        var app = new ApplicationBuilder(new ServiceCollection().BuildServiceProvider());
        app.UseLaneTurns();
        app.Run(static context =>
        {
            ((Action)context.Items["handle"]!)();
            return Task.CompletedTask;
        });
        return app.Build();
    }

    private DefaultHttpContext Context(Action handle, Func<bool> look) => new()
    {
        Items =
        {
            ["handle"] = () =>
            {
                _handled.TrySetResult(look());
                handle();
            },
        },
    };
}
