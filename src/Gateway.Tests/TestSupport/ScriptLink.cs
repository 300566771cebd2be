using Zmtp.Transports;

namespace Gateway.Tests.TestSupport;

/// <summary>A connection whose other end has said everything already: a connection run on it runs to its end on the calling thread.</summary>
internal sealed class ScriptLink : Link
{
    private ReadOnlyMemory<byte> _rest;
    private Func<int> _nextChunk = static () => int.MaxValue;
    private int _sent;

    public override string Remote => "script";

    /// <summary>What the side under test has sent, up to the room for it.</summary>
    public byte[] Sent { get; init; } = [];

    public ReadOnlySpan<byte> SentBytes => Sent.AsSpan(0, Math.Min(_sent, Sent.Length));

    /// <summary>Sets what comes next.</summary>
    /// <param name="bytes">Everything that the other end says.</param>
    /// <param name="nextChunk">Bytes that the next read gives at most.</param>
    public void Say(ReadOnlyMemory<byte> bytes, Func<int>? nextChunk = null)
    {
        (_rest, _sent) = (bytes, 0);
        _nextChunk = nextChunk ?? (static () => int.MaxValue);
    }

    public override ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = Math.Min(Math.Min(Math.Max(_nextChunk(), 1), buffer.Length), _rest.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        return new ValueTask<int>(count);
    }

    public override ValueTask<int> SendAsync(ReadOnlyMemory<byte> buffer)
    {
        if (_sent < Sent.Length) buffer.Span[..Math.Min(buffer.Length, Sent.Length - _sent)].CopyTo(Sent.AsSpan(_sent));
        _sent += buffer.Length;
        return new ValueTask<int>(buffer.Length);
    }

    public override void Abort() => _rest = default;

    public override ValueTask DisposeAsync() => default;
}
