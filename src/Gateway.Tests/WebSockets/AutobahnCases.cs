namespace Gateway.Tests.WebSockets;

/// <summary>
/// The cases of the Autobahn test suite (github.com/crossbario/autobahn-testsuite, v25.10.1) that need no compression, by their ids, written
/// anew from its descriptions. Here: 1 framing, 2 pings and pongs, 3 reserved bits, 4 opcodes, 5 fragmentation, 10 auto-fragmentation.
/// </summary>
internal static class AutobahnCases
{
    private const int Continuation = 0;
    private const int Text = 1;
    private const int Binary = 2;
    private const int Ping = 9;
    private const int Pong = 10;
    private const string Hello = "Hello, world!";

    private static readonly byte[] NotUtf8 = [0x00, 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0x00, 0xFF];
    private static readonly Lazy<Dictionary<string, AutobahnCase>> Known = new(() => All().ToDictionary(test => test.Id, StringComparer.Ordinal));

    /// <summary>A case by its id.</summary>
    public static AutobahnCase ById(string id) => Known.Value[id];

    /// <summary>All 301 cases in the order of the suite.</summary>
    public static IEnumerable<AutobahnCase> All() =>
    [
        .. Framing(), .. PingsAndPongs(), .. ReservedBits(), .. Opcodes(), .. Fragmentation(),
        .. AutobahnUtf8Cases.All(), .. AutobahnCloseCases.All(), .. AutobahnLimitCases.All(), AutoFragmentation(),
    ];

    private static IEnumerable<AutobahnCase> Framing()
    {
        foreach (var (group, opcode, octet) in new[] { (1, Text, (byte)'*'), (2, Binary, (byte)0xFE) })
        {
            var number = 1;
            foreach (var length in new[] { 0, 125, 126, 127, 128, 65_535, 65_536 })
                yield return new AutobahnCase($"1.{group}.{number++}", $"message of {length} bytes").Echo(opcode, Repeat(octet, length));

            yield return new AutobahnCase($"1.{group}.{number}", "message of 65536 bytes in chops of 997").Echo(opcode, Repeat(octet, 65_536), chop: 997);
        }
    }

    private static IEnumerable<AutobahnCase> PingsAndPongs()
    {
        yield return new AutobahnCase("2.1", "ping without payload").Send(Ping).Expect(Pong).Await();
        yield return new AutobahnCase("2.2", "ping with text").Send(Ping, Hello).Expect(Pong, Hello).Await();
        yield return new AutobahnCase("2.3", "ping with bytes").Send(Ping, NotUtf8).Expect(Pong, NotUtf8).Await();
        yield return new AutobahnCase("2.4", "ping with 125 bytes").Send(Ping, Repeat(0xFE, 125)).Expect(Pong, Repeat(0xFE, 125)).Await();
        yield return new AutobahnCase("2.5", "ping with 126 bytes").Send(Ping, Repeat(0xFE, 126)).Fails(1002);
        yield return new AutobahnCase("2.6", "ping with 125 bytes in octets").Send(Ping, Repeat(0xFE, 125), chop: 1).Expect(Pong, Repeat(0xFE, 125)).Await();
        yield return new AutobahnCase("2.7", "pong nobody asked for, empty").Send(Pong).SendClose(1000);
        yield return new AutobahnCase("2.8", "pong nobody asked for").Send(Pong, "unsolicited").SendClose(1000);
        yield return new AutobahnCase("2.9", "pong nobody asked for, then ping").Send(Pong, "unsolicited").Send(Ping, "mine").Expect(Pong, "mine").Await();
        yield return TenPings("2.10", "ten pings", chop: 0);
        yield return TenPings("2.11", "ten pings in octets", chop: 1);
    }

    private static AutobahnCase TenPings(string id, string what, int chop)
    {
        var test = new AutobahnCase(id, what);
        for (var i = 0; i < 10; i++) test.Send(Ping, $"payload-{i}", chop: chop).Expect(Pong, $"payload-{i}");
        return test.Await();
    }

    private static IEnumerable<AutobahnCase> ReservedBits()
    {
        yield return new AutobahnCase("3.1", "text with RSV 1").Send(Text, Hello, rsv: 1).Fails(1002);
        yield return new AutobahnCase("3.2", "good text, then RSV 2, then ping").Echo(Text, Hello).Send(Text, Hello, rsv: 2).Send(Ping).Fails(1002);
        yield return new AutobahnCase("3.3", "good text, then RSV 3, then ping, frame by frame")
            .Echo(Text, Hello).Await().Send(Text, Hello, rsv: 3).Send(Ping).Fails(1002);
        yield return new AutobahnCase("3.4", "good text, then RSV 4, then ping, in octets")
            .Echo(Text, Hello, chop: 1).Send(Text, Hello, rsv: 4, chop: 1).Send(Ping, chop: 1).Fails(1002);
        yield return new AutobahnCase("3.5", "binary with RSV 5").Send(Binary, NotUtf8, rsv: 5).Fails(1002);
        yield return new AutobahnCase("3.6", "ping with RSV 6").Send(Ping, Hello, rsv: 6).Fails(1002);
        yield return new AutobahnCase("3.7", "close with RSV 7").Send(8, rsv: 7).Fails(1002);
    }

    private static IEnumerable<AutobahnCase> Opcodes()
    {
        foreach (var (group, first) in new[] { (1, 3), (2, 11) })
        {
            string Name(int number) => $"4.{group}.{number}";
            string What(int number) => $"reserved opcode {first + number - 1}";
            yield return new AutobahnCase(Name(1), What(1)).Send(first).Fails(1002);
            yield return new AutobahnCase(Name(2), What(2) + " with payload").Send(first + 1, "reserved opcode payload").Fails(1002);
            yield return new AutobahnCase(Name(3), What(3) + " after text").Echo(Text, Hello).Send(first + 2).Send(Ping).Fails(1002);
            yield return new AutobahnCase(Name(4), What(4) + " with payload after text")
                .Echo(Text, Hello).Send(first + 3, Hello).Send(Ping).Fails(1002);
            yield return new AutobahnCase(Name(5), What(5) + " with payload after text, in octets")
                .Echo(Text, Hello, chop: 1).Send(first + 4, Hello, chop: 1).Send(Ping, chop: 1).Fails(1002);
        }
    }

    private static IEnumerable<AutobahnCase> Fragmentation()
    {
        yield return new AutobahnCase("5.1", "fragmented ping").Send(Ping, "one", fin: false).Send(Continuation, "two").Fails(1002);
        yield return new AutobahnCase("5.2", "fragmented pong").Send(Pong, "one", fin: false).Send(Continuation, "two").Fails(1002);
        foreach (var (id, how, chop) in new[] { (3, "at once", 0), (4, "frame by frame", -1), (5, "in octets", 1) })
            yield return new AutobahnCase($"5.{id}", $"text in two fragments, {how}")
                .Send(Text, "one", fin: false, chop: chop).Send(Continuation, "two", chop: chop).Expect(Text, "onetwo").Await();

        foreach (var (id, how, chop) in new[] { (6, "at once", 0), (7, "frame by frame", -1), (8, "in octets", 1) })
            yield return new AutobahnCase($"5.{id}", $"text in two fragments with a ping between, {how}")
                .Send(Text, "one", fin: false, chop: chop).Send(Ping, "mine", chop: chop).Send(Continuation, "two", chop: chop)
                .Expect(Pong, "mine").Expect(Text, "onetwo").Await();

        foreach (var (id, how, chop, fin) in new[]
            {
                (9, "at once", 0, true), (10, "frame by frame", -1, true), (11, "in octets", 1, true),
                (12, "at once", 0, false), (13, "frame by frame", -1, false), (14, "in octets", 1, false),
            })
            yield return new AutobahnCase($"5.{id}", $"stray continuation with FIN {fin}, then text, {how}")
                .Send(Continuation, "stray", fin, chop: chop).Send(Text, Hello, chop: chop).Fails(1002);

        yield return new AutobahnCase("5.15", "good fragments, then a stray continuation, then text")
            .Send(Text, "one", fin: false).Send(Continuation, "two").Expect(Text, "onetwo")
            .Send(Continuation, "three", fin: false).Send(Text, "four").Fails(1002);
        yield return StrayTwice("5.16", fin: false);
        yield return StrayTwice("5.17", fin: true);
        yield return new AutobahnCase("5.18", "both fragments are text frames").Send(Text, "one", fin: false).Send(Text, "two").Fails(1002);
        yield return PingsInside("5.19", "at once", chop: 0);
        yield return PingsInside("5.20", "frame by frame", chop: -1);
    }

    private static AutobahnCase StrayTwice(string id, bool fin)
    {
        var test = new AutobahnCase(id, $"twice: stray continuation with FIN {fin}, then good fragments");
        for (var i = 0; i < 2; i++)
            test.Send(Continuation, "one", fin).Send(Text, "two", fin: false).Send(Continuation, "three");

        return test.Fails(1002);
    }

    // The suite waits a second in the middle; here the first pong is awaited, which proves the same: it comes before the message is whole.
    private static AutobahnCase PingsInside(string id, string how, int chop) =>
        new AutobahnCase(id, $"five fragments, two pings inside, {how}")
            .Send(Text, "one", fin: false, chop: chop).Send(Continuation, "two", fin: false, chop: chop).Send(Ping, "first", chop: chop)
            .Expect(Pong, "first").Await()
            .Send(Continuation, "three", fin: false, chop: chop).Send(Continuation, "four", fin: false, chop: chop).Send(Ping, "second", chop: chop)
            .Send(Continuation, "five", chop: chop)
            .Expect(Pong, "second").Expect(Text, "onetwothreefourfive").Await();

    private static AutobahnCase AutoFragmentation()
    {
        var payload = Repeat((byte)'*', 65_536);
        return new AutobahnCase("10.1.1", "text of 65536 bytes in frames of 1300").SendFragmented(Text, payload, 1300).Expect(Text, payload).Await();
    }

    private static byte[] Repeat(byte octet, int count)
    {
        var bytes = new byte[count];
        bytes.AsSpan().Fill(octet);
        return bytes;
    }
}
