using System.Collections.Concurrent;
using System.Net.Sockets;
using Gateway.WebSockets;

namespace Gateway.Streams;

/// <summary>How bytes go to one subscriber. Used by its loop alone, one write at a time.</summary>
internal abstract class SubscriberWire
{
    /// <summary>Most bytes of a write that may have to wait: small enough that a slow but living client completes one within the write deadline.</summary>
    public abstract int MaxWaitingWrite { get; }

    /// <summary>The way to a client: its socket where that may be used, else its stream.</summary>
    /// <param name="lowWater">Bytes that may wait unsent in the kernel.</param>
    public static SubscriberWire To(WebSocketTransport transport, int lowWater)
    {
        // socket(7) and tcp(7) of Linux; .NET has no names for them.
        const int ProtocolTcp = 6;
        const int TcpNotSentLowWater = 25;
        if (transport.Socket is not { } socket) return new StreamWire(transport.Stream);
        try
        {
            if (OperatingSystem.IsLinux())
            {
                // What a slow client has not taken waits in the log, once for all, and not in the kernel.
                Span<byte> option = stackalloc byte[sizeof(int)];
                BitConverter.TryWriteBytes(option, lowWater);
                socket.SetRawSocketOption(ProtocolTcp, TcpNotSentLowWater, option);
            }

            return new SocketWire(socket);
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            // The client left during the upgrade: its reader finds out and ends the subscription.
            return new StreamWire(transport.Stream);
        }
    }

    /// <summary>Sends what can be sent without waiting.</summary>
    /// <returns>Bytes sent, possibly none; -1 when the connection is lost.</returns>
    public abstract int TrySend(ReadOnlySpan<byte> bytes);

    /// <summary>
    /// Sends all of it, waiting as needed; then calls <see cref="IWriteCompletion.WriteCompleted"/>, from any thread, once.
    /// </summary>
    public abstract void BeginSend(ReadOnlyMemory<byte> bytes, IWriteCompletion subscriber);
}

/// <summary>Straight to the socket of a plaintext HTTP/1.1 connection after its upgrade.</summary>
internal sealed class SocketWire : SubscriberWire
{
    private readonly Socket _socket;

    public SocketWire(Socket socket)
    {
        _socket = socket;
        // Only what this class does is affected: on Unix every operation of Kestrel's is asynchronous.
        socket.Blocking = false;
    }

    /// <inheritdoc/>
    public override int MaxWaitingWrite => 32 * 1024;

    /// <inheritdoc/>
    public override int TrySend(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var sent = _socket.Send(bytes, SocketFlags.None, out var error);
            return error switch { SocketError.Success => sent, SocketError.WouldBlock => 0, _ => -1 };
        }
        catch (ObjectDisposedException)
        {
            // Kestrel has closed the connection: its peer is gone or it was aborted.
            return -1;
        }
    }

    /// <inheritdoc/>
    public override void BeginSend(ReadOnlyMemory<byte> bytes, IWriteCompletion subscriber) =>
        SendOperation.Begin(_socket, bytes, subscriber);

    /// <summary>The one write that a blocked subscriber waits for; pooled, so that a subscriber that keeps up has none.</summary>
    private sealed class SendOperation() : SocketAsyncEventArgs(unsafeSuppressExecutionContextFlow: true)
    {
        private const int MaxPooled = 1024;
        private static readonly ConcurrentQueue<SendOperation> Pool = new();

        private IWriteCompletion? _subscriber;

        public static void Begin(Socket socket, ReadOnlyMemory<byte> bytes, IWriteCompletion subscriber)
        {
            if (!Pool.TryDequeue(out var operation)) operation = new SendOperation();
            operation._subscriber = subscriber;
            operation.SetBuffer(System.Runtime.InteropServices.MemoryMarshal.AsMemory(bytes));
            try
            {
                if (!socket.SendAsync(operation)) operation.Complete(operation.SocketError == SocketError.Success ? operation.BytesTransferred : -1);
            }
            catch (ObjectDisposedException)
            {
                operation.Complete(-1);
            }
        }

        protected override void OnCompleted(SocketAsyncEventArgs e)
        {
            var subscriber = _subscriber!;
            try
            {
                Complete(SocketError == SocketError.Success ? BytesTransferred : -1);
            }
#pragma warning disable CA1031 // The top of a completion, where an exception would end the process.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                subscriber.TryFail(failure);
            }
        }

        private void Complete(int sent)
        {
            var subscriber = _subscriber!;
            _subscriber = null;
            SetBuffer(default);
            if (Pool.Count < MaxPooled) Pool.Enqueue(this);
            else Dispose();
            subscriber.WriteCompleted(sent);
        }
    }
}

/// <summary>To the stream of a TLS or HTTP/2 connection: every write may wait.</summary>
internal sealed class StreamWire(Stream stream) : SubscriberWire
{
    // Never fails: what goes wrong is told to the subscriber.
    private Task _write = Task.CompletedTask;

    /// <inheritdoc/>
    public override int MaxWaitingWrite => 64 * 1024;

    /// <inheritdoc/>
    public override int TrySend(ReadOnlySpan<byte> bytes) => 0;

    /// <inheritdoc/>
    public override void BeginSend(ReadOnlyMemory<byte> bytes, IWriteCompletion subscriber) => _write = SendAsync(bytes, subscriber);

    private async Task SendAsync(ReadOnlyMemory<byte> bytes, IWriteCompletion subscriber)
    {
        var sent = bytes.Length;
        try
        {
            await stream.WriteAsync(bytes);
        }
#pragma warning disable CA1031 // Reset by the peer, aborted by us, or whatever a stream throws; the subscriber's reader reports it.
        catch (Exception)
#pragma warning restore CA1031
        {
            sent = -1;
        }

        try
        {
            subscriber.WriteCompleted(sent);
        }
#pragma warning disable CA1031 // Nobody awaits this.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            subscriber.TryFail(failure);
        }
    }
}
