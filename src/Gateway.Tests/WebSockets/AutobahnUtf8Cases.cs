using System.Text;

namespace Gateway.Tests.WebSockets;

/// <summary>Group 6 of the Autobahn test suite, UTF-8. 6.5 to 6.23 are the sequences of Markus Kuhn's decoder stress test, and some more.</summary>
internal static class AutobahnUtf8Cases
{
    private const int Continuation = 0;
    private const int Text = 1;
    private const string Umlauts = "Hello-µ@ßöäüàá-UTF-8!!";

    // "κόσμε", and behind it something that no text goes on with.
    private const string Kosme = "cebae1bdb9cf83cebcceb5";

    private static readonly string[] Incomplete =
        ["c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf"];

    public static IEnumerable<AutobahnCase> All()
    {
        yield return new AutobahnCase("6.1.1", "empty text").Echo(Text, "");
        yield return new AutobahnCase("6.1.2", "three empty fragments")
            .Send(Text, "", fin: false).Send(Continuation, "", fin: false).Send(Continuation).Expect(Text);
        yield return new AutobahnCase("6.1.3", "one full fragment between two empty ones")
            .Send(Text, "", fin: false).Send(Continuation, "middle", fin: false).Send(Continuation).Expect(Text, "middle");
        var umlauts = Encoding.UTF8.GetBytes(Umlauts);
        var kosme = Convert.FromHexString(Kosme);
        yield return new AutobahnCase("6.2.1", "valid text").Echo(Text, Umlauts);
        yield return new AutobahnCase("6.2.2", "valid text, cut between characters")
            .Send(Text, umlauts.AsSpan(0, 14), fin: false).Send(Continuation, umlauts.AsSpan(14)).Expect(Text, umlauts);
        yield return new AutobahnCase("6.2.3", "valid text in fragments of 1").SendFragmented(Text, umlauts, 1).Expect(Text, umlauts);
        yield return new AutobahnCase("6.2.4", "valid Greek in fragments of 1").SendFragmented(Text, kosme, 1).Expect(Text, kosme);
        var surrogate = Convert.FromHexString(Kosme + "eda080" + "656469746564");
        yield return new AutobahnCase("6.3.1", "invalid text").Send(Text, surrogate).Fails(1007);
        yield return new AutobahnCase("6.3.2", "invalid text in fragments of 1").SendFragmented(Text, surrogate, 1).Fails(1007);
        foreach (var test in FailFast()) yield return test;
        var group = 5;
        foreach (var sequences in Sequences())
        {
            var number = 1;
            foreach (var (valid, hex) in sequences) yield return Sequence($"6.{group}.{number++}", valid, hex);
            group++;
        }
    }

    // The suite waits before the rest of the message; here the rest is never sent, so that only failing at once passes.
    private static IEnumerable<AutobahnCase> FailFast()
    {
        var whole = Convert.FromHexString(Kosme + "f4908080" + "656469746564");
        yield return new AutobahnCase("6.4.1", "fails in the fragment that is invalid, before the last one")
            .Send(Text, whole.AsSpan(0, 11), fin: false).Send(Continuation, whole.AsSpan(11, 4), fin: false).Fails(1007);
        yield return new AutobahnCase("6.4.2", "fails at the octet that makes it invalid, before the last fragment")
            .Send(Text, whole.AsSpan(0, 12), fin: false).Send(Continuation, whole.AsSpan(12, 1), fin: false).Fails(1007);
        const int Header = 6;
        var frame = AutobahnCase.Frame(Text, whole);
        yield return new AutobahnCase("6.4.3", "fails in the chop that is invalid, before the frame is whole")
            .SendBytes(frame.AsMemory(0, Header + 11)).SendBytes(frame.AsMemory(Header + 11, 4)).Fails(1007);
        yield return new AutobahnCase("6.4.4", "fails at the octet that makes it invalid, before the frame is whole")
            .SendBytes(frame.AsMemory(0, Header + 12)).SendBytes(frame.AsMemory(Header + 12, 1)).Fails(1007);
    }

    private static AutobahnCase Sequence(string id, bool valid, string hex)
    {
        var payload = Convert.FromHexString(hex);
        var test = new AutobahnCase(id, $"{(valid ? "valid" : "invalid")}: {hex}");
        return valid ? test.Echo(Text, payload) : test.Send(Text, payload).Fails(1007);
    }

    private static IEnumerable<IEnumerable<(bool Valid, string Hex)>> Sequences() =>
    [
        // 6.5 some valid sequences, 6.6 all prefixes of one
        Valid("68656c6c6f24776f726c64", "68656c6c6fc2a2776f726c64", "68656c6c6fe282ac776f726c64", "68656c6c6ff0a4ada2776f726c64", Kosme),
        Enumerable.Range(1, Kosme.Length / 2).Select(bytes => (bytes is 2 or 5 or 7 or 9 or 11, Kosme[..(bytes * 2)])),

        // 6.7 first sequence of each length, 6.8 first of length 5 and 6
        Valid("00", "c280", "e0a080", "f0908080"),
        Invalid("f888808080", "fc8480808080"),

        // 6.9 last sequence of each length, 6.10 last of length 4, 5 and 6
        Valid("7f", "dfbf", "efbfbf", "f48fbfbf"),
        Invalid("f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf"),

        // 6.11 other boundaries
        [.. Valid("ed9fbf", "ee8080", "efbfbd", "f48fbfbf"), .. Invalid("f4908080")],

        // 6.12 unexpected continuation bytes, 6.13 lone first bytes
        Invalid("80", "bf", "80bf", "80bf80", "80bf80bf", "80bf80bf80", "80bf80bf80bf", Run(0x80, 0xBF, "")),
        Invalid(Run(0xC0, 0xDF, "20"), Run(0xE0, 0xEF, "20"), Run(0xF0, 0xF7, "20"), Run(0xF8, 0xFB, "20"), Run(0xFC, 0xFD, "20")),

        // 6.14 last byte missing, 6.15 all of those in a row, 6.16 impossible bytes
        Invalid(Incomplete),
        Invalid(string.Concat(Incomplete)),
        Invalid("fe", "ff", "fefeffff"),

        // 6.17 overlong ASCII, 6.18 longest overlong, 6.19 overlong NUL
        Invalid("c0af", "e080af", "f08080af", "f8808080af", "fc80808080af"),
        Invalid("c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf"),
        Invalid("c080", "e08080", "f0808080", "f880808080", "fc8080808080"),

        // 6.20 single surrogates, 6.21 pairs of surrogates
        Invalid("eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"),
        Invalid("eda080edb080", "eda080edbfbf", "edadbfedb080", "edadbfedbfbf", "edae80edb080", "edae80edbfbf", "edafbfedb080", "edafbfedbfbf"),

        // 6.22 non-characters, which are valid, 6.23 specials
        NonCharacters(),
        Valid("efbfb9", "efbfba", "efbfbb", "efbfbc", "efbfbd", "efbfbe", "efbfbf"),
    ];

    // U+FFFE, U+FFFF, and the last two code points of each of the planes 1 to 16.
    private static IEnumerable<(bool Valid, string Hex)> NonCharacters() =>
        from plane in Enumerable.Range(0, 17)
        from last in new[] { 0xFFFE, 0xFFFF }
        select (true, Convert.ToHexStringLower(Encoding.UTF8.GetBytes(char.ConvertFromUtf32((plane << 16) | last))));

    private static string Run(int from, int until, string between) =>
        string.Concat(Enumerable.Range(from, until - from).Select(octet => $"{octet:x2}{between}"));

    private static IEnumerable<(bool Valid, string Hex)> Valid(params string[] all) => all.Select(hex => (true, hex));

    private static IEnumerable<(bool Valid, string Hex)> Invalid(params string[] all) => all.Select(hex => (false, hex));
}
