using System.Text;
using System.Threading.Channels;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.TestSupport;

/// <summary>An owner of peers and their sink that writes down what it is told.</summary>
internal sealed class RecordingOwner : IPeerOwner, IFrameSink
{
    private readonly Channel<byte[][]> _messages = Channel.CreateUnbounded<byte[][]>();
    private readonly TaskCompletionSource<Peer> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<byte[]> _frames = [];
    private readonly MemoryStream _frame = new();
    private TaskCompletionSource? _pause;

    /// <summary>The peer, once its handshake is complete.</summary>
    public Task<Peer> ReadyAsync() => _ready.Task.WaitAsync(ScriptedPeer.Patience);

    /// <summary>Subscriptions as <c>+topic</c> and <c>-topic</c>.</summary>
    public List<string> Subscriptions { get; } = [];

    /// <summary>Whole messages, in the order they came.</summary>
    public List<byte[][]> Messages { get; } = [];

    public int Gone { get; private set; }

    public int Closings { get; private set; }

    /// <summary>Pauses at the next message until <see cref="Resume"/>.</summary>
    public void Pause() => _pause = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Resume()
    {
        var pause = _pause;
        _pause = null;
        pause?.SetResult();
    }

    public async Task<string[]> NextAsync() =>
        [.. (await _messages.Reader.ReadAsync().AsTask().WaitAsync(ScriptedPeer.Patience)).Select(Encoding.Latin1.GetString)];

    public IFrameSink PeerReady(Peer peer)
    {
        _ready.TrySetResult(peer);
        return this;
    }

    /// <summary>Called when a peer has room again.</summary>
    public Action? OnWritable { get; set; }

    public void PeerWritable(Peer peer) => OnWritable?.Invoke();

    public void PeerGone(Peer peer) => Gone++;

    public bool PeerSubscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe)
    {
        Subscriptions.Add((subscribe ? "+" : "-") + Encoding.Latin1.GetString(topic));
        return true;
    }

    public bool Accept(in FramePart part)
    {
        _frame.Write(part.Bytes);
        if (!part.IsLast) return true;
        Assert.Equal(part.FrameLength, _frame.Length);
        _frames.Add(_frame.ToArray());
        _frame.SetLength(0);
        if (part.More) return true;
        Messages.Add([.. _frames]);
        _messages.Writer.TryWrite([.. _frames]);
        _frames.Clear();
        return _pause is null;
    }

    public async ValueTask WhenReadyAsync(CancellationToken stopping)
    {
        if (_pause is { } pause) await pause.Task.WaitAsync(stopping);
    }

    public void BatchEnd()
    {
        // Every message is written down when it ends.
    }

    public void Closed(Exception? reason) => Closings++;
}
