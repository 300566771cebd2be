using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>Makes conversations that know the protocol and breaks them in one or a few places.</summary>
internal sealed class Spoiler(int seed)
{
    private static readonly byte[][] Units =
    [
        ZmtpBytes.Message("", "a"), ZmtpBytes.Message("topic", "body", ""), ZmtpBytes.Frame(new byte[255]), ZmtpBytes.Frame(new byte[256], more: true),
        ZmtpBytes.Frame([]), ZmtpBytes.Frame(new byte[700]), ZmtpBytes.Frame([1, 65]), ZmtpBytes.Frame([0, 65]), ZmtpBytes.Subscribe("A"),
        ZmtpBytes.Subscribe(""), ZmtpBytes.Subscribe(new string('x', 70)), ZmtpBytes.Cancel("A"), ZmtpBytes.Cancel("never"), ZmtpBytes.Ping(10, "context"),
        ZmtpBytes.Ping(), ZmtpBytes.Ping(0, "a context of 17 b"), ZmtpBytes.Command("PING"), ZmtpBytes.Pong("x"), ZmtpBytes.Command("UNKNOWN", 1, 2, 3),
        ZmtpBytes.Command("ERROR", 3, 52, 48, 48), ZmtpBytes.Ready("PUB"), ZmtpBytes.LongHeader(0, 1UL << 62), ZmtpBytes.LongHeader(1, 1UL << 63),
        ZmtpBytes.LongHeader(4, 1UL << 40), ZmtpBytes.LongHeader(4, 20), ZmtpBytes.Message("1", "2", "3", "4", "5", "6", "7", "8", "9"), [4, 0], [5, 0], [8],
    ];

    private static readonly string[] Types = ["REQ", "REP", "DEALER", "ROUTER", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR", "STREAM", ""];
    private readonly Random _random = new(seed);
    private readonly byte[] _bytes = new byte[4096];
    private int _length;
    private int _chunk;

    /// <summary>The next conversation of a peer of this type. Valid until the next call.</summary>
    public ReadOnlyMemory<byte> Next(string type)
    {
        _length = 0;
        _chunk = _random.Next(8) switch { 0 => 1, 1 => 3, < 5 => int.MaxValue, _ => 0 };
        Append(ZmtpBytes.Greeting((byte)_random.Next(2), _random.Next(50) == 0 ? "PLAIN" : "NULL", (byte)(_random.Next(50) == 0 ? _random.Next(6) : 3)));
        Append(Ready(type));
        for (var i = _random.Next(6); i > 0; i--) Append(Units[_random.Next(Units.Length)]);
        for (var i = _random.Next(4); i > 0; i--) Spoil();
        return _bytes.AsMemory(0, _length);
    }

    /// <summary>Where the next read ends.</summary>
    public int NextChunk() => _chunk == 0 ? _random.Next(1, 80) : _chunk;

    private byte[] Ready(string type) => _random.Next(20) switch
    {
        0 => ZmtpBytes.Ready(Types[_random.Next(Types.Length)]),
        1 => ZmtpBytes.Ready(type, [(byte)_random.Next(3), 7]),
        2 => ZmtpBytes.Ready(type, new byte[_random.Next(300)]),
        3 => ZmtpBytes.Command("READY", new byte[_random.Next(100)]),
        _ => ZmtpBytes.Ready(type),
    };

    private void Spoil()
    {
        // Most of what can go wrong is behind the greeting.
        var at = _random.Next(4) == 0 ? _random.Next(_length) : Math.Min(_length - 1, 64 + _random.Next(Math.Max(1, _length - 64)));
        switch (_random.Next(7))
        {
            case 0:
                _bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1:
                _bytes[at] = (byte)_random.Next(256);
                break;
            case 2:
                _bytes.AsSpan(at, Math.Min(8, _length - at)).Fill(_random.Next(2) == 0 ? (byte)0xFF : (byte)0);
                break;
            case 3:
                _length = Math.Max(1, at);
                break;
            case 4:
                Remove(at, _random.Next(1, 12));
                break;
            case 5:
                Insert(at, Units[_random.Next(Units.Length)]);
                break;
            default:
                Insert(at, _bytes.AsSpan(at, _random.Next(0, Math.Min(40, _length - at))).ToArray());
                break;
        }
    }

    private void Append(byte[] unit) => Insert(_length, unit);

    private void Insert(int at, byte[] unit)
    {
        if (_length + unit.Length > _bytes.Length) return;
        _bytes.AsSpan(at, _length - at).CopyTo(_bytes.AsSpan(at + unit.Length));
        unit.CopyTo(_bytes, at);
        _length += unit.Length;
    }

    private void Remove(int at, int count)
    {
        count = Math.Min(count, _length - at - 1);
        if (count <= 0) return;
        _bytes.AsSpan(at + count, _length - at - count).CopyTo(_bytes.AsSpan(at));
        _length -= count;
    }
}
