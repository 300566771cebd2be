using System.Buffers;
using System.IO.Pipelines;
using Gateway.Backends;
using Gateway.Configuration;
using Gateway.Templates;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Tests.Templates;

public class RequestBodyTests
{
    private const int Length = RequestBody.BufferLimit * 2;

    [Fact]
    public async Task Streams_a_body_that_begins_fast_enough()
    {
        var (body, time, sender, context) = Arrange();
        var reading = body.ReadAsync(context, new WebRouteOptions(), mayStream: true);
        time.Now += TimeSpan.FromSeconds(0.9);
        await sender.WriteAsync(new byte[RequestBody.BufferLimit]);
        await reading;
        Assert.Equal(Length, body.StreamedLength);
        await body.ReleaseAsync();
    }

    [Fact]
    public async Task Holds_a_slow_body_back_until_its_end()
    {
        var (body, time, sender, context) = Arrange();
        var reading = body.ReadAsync(context, new WebRouteOptions(), mayStream: true);
        time.Now += TimeSpan.FromSeconds(1.1);
        await sender.WriteAsync(new byte[RequestBody.BufferLimit]);
        Assert.False(reading.IsCompleted);
        await sender.WriteAsync(new byte[RequestBody.BufferLimit]);
        await sender.CompleteAsync();
        await reading;
        Assert.Equal((-1, Length), (body.StreamedLength, body.Bytes.Length));
        await body.ReleaseAsync();
    }

    [Fact]
    public async Task Refuses_a_slow_body_that_is_too_large_to_hold_back()
    {
        var (body, time, sender, context) = Arrange();
        var reading = body.ReadAsync(context, new WebRouteOptions { SpoolLimit = Length - 1 }, mayStream: true);
        time.Now += TimeSpan.FromSeconds(1.1);
        await sender.WriteAsync(new byte[RequestBody.BufferLimit]);
        var thrown = await Assert.ThrowsAsync<BackendException>(() => reading.AsTask());
        Assert.Equal((408, "request-timeout"), (thrown.Status, thrown.Code));
        await body.ReleaseAsync();
    }

    [Fact]
    public async Task Spools_to_a_file_what_does_not_fit_in_memory()
    {
        await using var spool = new BodySpool(mayUseFile: true);
        await spool.WriteAsync(new ReadOnlySequence<byte>(new byte[BodySpool.MemoryLimit]));
        Assert.Null(spool.OpenFile());
        await spool.WriteAsync(new ReadOnlySequence<byte>([1]));
        var read = await spool.OpenFile()!.ReadAtLeastAsync(BodySpool.MemoryLimit + 1);
        Assert.Equal((BodySpool.MemoryLimit + 1, (byte)1), (read.Buffer.Length, read.Buffer.ToArray()[^1]));
    }

    private static (RequestBody Body, SteppedTime Time, PipeWriter Sender, HttpContext Context) Arrange()
    {
        var time = new SteppedTime();
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var context = new DefaultHttpContext();
        context.Request.ContentLength = Length;
        context.Features.Set<IRequestBodyPipeFeature>(new BodyPipe(pipe.Reader));
        return (new RequestBody(time), time, pipe.Writer, context);
    }

    private sealed class BodyPipe(PipeReader reader) : IRequestBodyPipeFeature
    {
        public PipeReader Reader => reader;
    }

    private sealed class SteppedTime : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
