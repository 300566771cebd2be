using System.Buffers.Binary;
using Gateway.Configuration;
using Gateway.Streams;

namespace Gateway.Tests.Streams;

/// <summary>Plays source, lanes and subscribers of a log by hand, one step at a time, and decodes what each subscriber was sent.</summary>
internal sealed class LogDriver
{
    private const int HeaderSize = 12;
    private static readonly int[] Sizes = [0, 1, 10, 100, 1000, 4080, 4090, 20_000, 66_030, 66_060, 150_000, 300_000];

    private readonly Random _random;
    private readonly LogReader[] _lanes;

    public LogDriver(SlowConsumerPolicy policy, Random random, int maxMessages, long maxBytes, int lanes, int clients)
    {
        _random = random;
        var options = new SubscriberOptions { Policy = policy, MaxMessages = maxMessages, MaxBytes = maxBytes };
        Log = new AudienceLog(options, maxTopics: 1000, Pool, () => IsPaused = false);
        _lanes = [.. Enumerable.Range(0, lanes).Select(_ => new LogReader())];
        foreach (var lane in _lanes) Log.Add(lane);
        Clients = [.. Enumerable.Range(0, clients).Select(index => new Client { Lane = index % lanes })];
    }

    public SegmentPool Pool { get; } = new();

    public AudienceLog Log { get; }

    public List<Client> Clients { get; }

    public int Appended { get; private set; }

    public long LostByLanes { get; private set; }

    public bool IsPaused { get; private set; }

    public SortedDictionary<int, int> LatestByTopic { get; } = [];

    public int SomeSize() => Sizes[_random.Next(Sizes.Length)];

    public void Append(int size, int? topic = null)
    {
        if (IsPaused) return;
        var name = topic ?? _random.Next(5);
        Span<byte> header = stackalloc byte[HeaderSize];
        BinaryPrimitives.WriteInt32LittleEndian(header, Appended);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], size);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], name);
        var body = new byte[size];
        Array.Fill(body, (byte)Appended);
        LatestByTopic[name] = Appended++;
        if (!Log.Append(header, new FrameBytes(body), new FrameBytes([(byte)name]))) IsPaused = true;
    }

    /// <summary>One pass of a lane; some of its subscribers, or the one named, stop somewhere inside the batch.</summary>
    public void PassLane(int lane, int stallOneIn, int? stall = null)
    {
        var reader = _lanes[lane];
        var idle = Clients.Where(client => client.Lane == lane && client.IsIdle).ToList();
        var any = Log.TryRead(reader, out var batch, out var lost);
        LostByLanes += lost;
        foreach (var client in idle) client.Lost += lost;
        if (!any) return;
        foreach (var client in idle)
        {
            var stalls = stall is { } index ? Clients[index] == client : stallOneIn > 0 && _random.Next(stallOneIn) == 0;
            Send(client, batch, stalls);
        }

        Log.Complete(reader, batch);
    }

    /// <summary>A subscriber that stopped takes some more, or all there is for it.</summary>
    public void Resume(int index, bool all = false)
    {
        var client = Clients[index];
        while (!client.IsIdle)
        {
            var next = Log.Read(ref client.Cursor, _lanes[client.Lane].Sequence, out var lost);
            client.Lost += lost;
            if (next.IsEmpty)
            {
                Assert.False(client.HasPartOfMessage);
                client.IsIdle = true;
                return;
            }

            var taken = all ? next.Length : _random.Next(next.Length + 1);
            client.Take(next.Span[..taken]);
            var completed = Log.Advance(ref client.Cursor, taken);
            client.Completed += completed;
            Assert.Equal(client.HasPartOfMessage, client.Cursor.IsInsideMessage);
            if (!all && taken < next.Length) return;
        }
    }

    public void Leave(int index)
    {
        Log.Abandon(ref Clients[index].Cursor);
        Clients.RemoveAt(index);
    }

    public void CatchUp()
    {
        for (var round = 0; round < 1000; round++)
        {
            for (var lane = 0; lane < _lanes.Length; lane++) PassLane(lane, stallOneIn: 0);
            for (var index = 0; index < Clients.Count; index++) Resume(index, all: true);
            if (_lanes.All(lane => lane.Sequence == Log.HeadSequence)) return;
        }

        Assert.Fail("The lanes do not reach the head.");
    }

    private void Send(Client client, in LogBatch batch, bool stalls)
    {
        var stopAt = stalls ? _random.Next(1, 60) : int.MaxValue;
        var (segment, offset) = (batch.First, batch.Offset);
        while (true)
        {
            var end = segment == batch.Last ? batch.End : segment.Written;
            var taken = Math.Min(end - offset, stopAt);
            client.Take(segment.Buffer.AsSpan(offset, taken));
            if (taken < end - offset)
            {
                client.Cursor = Log.Fork(segment, offset + taken);
                client.IsIdle = false;
                return;
            }

            stopAt -= taken;
            if (segment == batch.Last) return;
            (segment, offset) = (segment.Next!, 0);
        }
    }

    /// <summary>What one subscriber received.</summary>
    internal sealed class Client
    {
        private readonly byte[] _unread = new byte[400_000];
        private int _length;

        public LogCursor Cursor;

        public int Lane { get; init; }

        public bool IsIdle { get; set; } = true;

        public long Lost { get; set; }

        public long Completed { get; set; }

        public List<int> Sequences { get; } = [];

        public int Received => Sequences.Count;

        public SortedDictionary<int, int> LatestByTopic { get; } = [];

        private int MissingBytes => (_length < HeaderSize ? HeaderSize : HeaderSize + BitConverter.ToInt32(_unread, 4)) - _length;

        public bool HasPartOfMessage => _length > 0;

        public void Take(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                var taken = Math.Min(bytes.Length, MissingBytes);
                bytes[..taken].CopyTo(_unread.AsSpan(_length));
                _length += taken;
                bytes = bytes[taken..];
                if (MissingBytes > 0) continue;
                var (sequence, size, topic) = (BitConverter.ToInt32(_unread, 0), BitConverter.ToInt32(_unread, 4), BitConverter.ToInt32(_unread, 8));
                Assert.True(Sequences.Count == 0 || sequence > Sequences[^1], $"{sequence} came after {(Sequences.Count > 0 ? Sequences[^1] : -1)}.");
                Assert.False(_unread.AsSpan(HeaderSize, size).ContainsAnyExcept((byte)sequence), $"Message {sequence} has a foreign byte.");
                Sequences.Add(sequence);
                LatestByTopic[topic] = sequence;
                _length = 0;
            }
        }
    }
}
