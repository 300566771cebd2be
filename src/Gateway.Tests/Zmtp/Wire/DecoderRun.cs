using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Wire;

/// <summary>Feeds a decoder bytes in chunks and writes down what it finds, pieces of a frame put together.</summary>
internal sealed class DecoderRun(DecoderLimits limits)
{
    private readonly List<byte> _frame = [];
    private readonly List<byte> _unread = [];
    private FrameDecoder _decoder = new(limits);
    private bool _insideFrame;

    public static DecoderLimits Generous { get; } = new(long.MaxValue, 65_536, 16 * 1024, 64 * 1024);

    /// <summary>What was found: <c>more</c> or <c>last</c> and a frame's bytes, <c>command</c> and its body, or the error that ended it.</summary>
    public List<string> Found { get; } = [];

    public bool Failed { get; private set; }

    public bool IsInsideMessage => _decoder.IsInsideMessage;

    public int BytesWanted => _decoder.BytesWanted;

    /// <summary>What came and was not made something of: bytes of an unfinished frame.</summary>
    public string Rest => $"{Convert.ToHexString([.. _frame])} {(IsInsideMessage ? "inside" : "between")} {Convert.ToHexString([.. _unread])}";

    public static DecoderRun Of(IEnumerable<byte[]> chunks, DecoderLimits? limits = null)
    {
        var run = new DecoderRun(limits ?? Generous);
        foreach (var chunk in chunks) run.Feed(chunk);
        return run;
    }

    public void Feed(byte[] chunk)
    {
        if (Failed) return;
        _unread.AddRange(chunk);
        while (true)
        {
            var result = _decoder.Next(_unread.ToArray(), out var consumed, out var part, out var error);
            if (result == DecodeResult.Part) TakePart(part);
            else if (result == DecodeResult.Command) Found.Add($"command {Convert.ToHexString(part.Bytes)}");
            _unread.RemoveRange(0, consumed);
            if (result == DecodeResult.NeedMoreData) return;
            if (result != DecodeResult.Invalid) continue;
            Found.Add(error.ToString());
            Failed = true;
            return;
        }
    }

    private void TakePart(in FramePart part)
    {
        Assert.Equal(part.IsFirst, !_insideFrame);
        _insideFrame = !part.IsLast;
        _frame.AddRange(part.Bytes);
        if (!part.IsLast) return;
        Assert.Equal(part.FrameLength, _frame.Count);
        Found.Add($"{(part.More ? "more" : "last")} {Convert.ToHexString([.. _frame])}");
        _frame.Clear();
    }
}
