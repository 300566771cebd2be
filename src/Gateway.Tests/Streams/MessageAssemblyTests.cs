using Gateway.Streams;

namespace Gateway.Tests.Streams;

public class MessageAssemblyTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(200_000)]
    public void Frames_come_back_as_they_went_in_whatever_the_pieces(int length)
    {
        var assembly = new MessageAssembly(maxMessageBytes: 1_000_000);
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        for (var round = 0; round < 3; round++)
        {
            assembly.Add("topic"u8, endsFrame: true);
            for (var at = 0; at < length; at += 777) assembly.Add(bytes.AsSpan(at, Math.Min(777, length - at)), endsFrame: false);
            assembly.Add([], endsFrame: true);
            var copy = new byte[length];
            var last = assembly.TakeLastFrame();
            last.CopyTo(copy);
            Assert.Equal(bytes, copy);
            Assert.Equal(length, last.Length);
            Assert.Equal("topic"u8, assembly.Frame(0).Span);
            Assert.Equal(2, new StreamMessage(assembly, last).FrameCount);
            assembly.Reset();
            Assert.True(assembly.IsEmpty);
        }
    }

    [Fact]
    public void A_message_over_the_limit_by_one_byte_is_refused_and_keeps_nothing()
    {
        var assembly = new MessageAssembly(maxMessageBytes: 100);
        Assert.False(assembly.Refuses(100));
        assembly.Add(new byte[100], endsFrame: true);
        Assert.True(assembly.Refuses(1));
        Assert.True(assembly.IsOversize);
        Assert.Equal(0, assembly.FrameCount);
        assembly.Reset();
        Assert.False(assembly.Refuses(100));
    }

    [Fact]
    public void Endless_frames_are_refused()
    {
        var assembly = new MessageAssembly(maxMessageBytes: long.MaxValue);
        var frames = 0;
        while (!assembly.Refuses(0))
        {
            assembly.Add([], endsFrame: true);
            frames++;
        }

        Assert.Equal(1024, frames);
    }
}
