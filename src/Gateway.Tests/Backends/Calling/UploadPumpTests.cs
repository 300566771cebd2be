using System.IO.Pipelines;
using Gateway.Backends.Calling;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Backends.Calling;

public class UploadPumpTests
{
    [Fact]
    public async Task A_frame_that_cannot_be_written_leaves_the_body_free_to_be_read_on()
    {
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(new byte[100]);
        await using var stream = new BrokenStream(1_000);
        var call = new RecordingCall("") { StreamedLength = 1_000, StreamedBody = pipe.Reader };
        await Assert.ThrowsAsync<ZmtpException>(() =>
            UploadPump.RunAsync(call, stream, "service", TimeSpan.FromMinutes(1), CancellationToken.None).AsTask());

        // The web server reads what is left of a request's body before it takes the next request.
        await pipe.Writer.WriteAsync(new byte[50]);
        Assert.True(pipe.Reader.TryRead(out var rest));
        Assert.Equal(50, rest.Buffer.Length);
    }

    private sealed class BrokenStream : FrameStream
    {
        public BrokenStream(long length) => Left = length;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
            throw new ZmtpException("The connection ended inside a streamed frame.");

        public override ValueTask DisposeAsync() => default;
    }
}
