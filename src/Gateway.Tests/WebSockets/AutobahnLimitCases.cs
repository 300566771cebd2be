namespace Gateway.Tests.WebSockets;

/// <summary>Group 9 of the Autobahn test suite, sizes and round trips. 9.9 is not part of the suite's list.</summary>
internal static class AutobahnLimitCases
{
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;
    private const int RoundTrips = 1000;

    private static readonly (int Opcode, string Name, byte[] Pattern)[] Kinds = [(1, "text", "BAsd7&jh23"u8.ToArray()), (2, "binary", [0x00, 0xFE, 0x23, 0xFA, 0xF0])];

    public static IEnumerable<AutobahnCase> All() => [.. Whole(), .. Fragmented(), .. Chopped(), .. RoundTripped()];

    private static IEnumerable<AutobahnCase> Whole()
    {
        foreach (var (opcode, name, pattern) in Kinds)
        {
            var number = 1;
            foreach (var length in new[] { 64 * KiB, 256 * KiB, MiB, 4 * MiB, 8 * MiB, 16 * MiB })
                yield return new AutobahnCase($"9.{opcode}.{number++}", $"{name} of {length} bytes", test => test.Echo(opcode, Repeat(pattern, length)));
        }
    }

    private static IEnumerable<AutobahnCase> Fragmented()
    {
        foreach (var (opcode, name, pattern) in Kinds)
        {
            var number = 1;
            foreach (var fragment in new[] { 64, 256, KiB, 4 * KiB, 16 * KiB, 64 * KiB, 256 * KiB, MiB, 4 * MiB })
                yield return new AutobahnCase($"9.{opcode + 2}.{number++}", $"{name} of 4 MiB in fragments of {fragment}", test =>
                {
                    var payload = Repeat(pattern, 4 * MiB);
                    return test.SendFragmented(opcode, payload, fragment).Expect(opcode, payload);
                });
        }
    }

    private static IEnumerable<AutobahnCase> Chopped()
    {
        foreach (var (opcode, name, pattern) in Kinds)
        {
            var number = 1;
            foreach (var chop in new[] { 64, 128, 256, 512, KiB, 2 * KiB })
                yield return new AutobahnCase($"9.{opcode + 4}.{number++}", $"{name} of 1 MiB in chops of {chop}", test => test.Echo(opcode, Repeat(pattern, MiB), chop));
        }
    }

    private static IEnumerable<AutobahnCase> RoundTripped()
    {
        foreach (var (opcode, name, pattern) in Kinds)
        {
            var number = 1;
            foreach (var length in new[] { 0, 16, 64, 256, KiB, 4 * KiB })
            {
                var (id, what) = ($"9.{opcode + 6}.{number++}", $"{RoundTrips} round trips of {name} of {length} bytes");
                yield return length * RoundTrips < 64 * KiB ? Fill(new AutobahnCase(id, what)) : new AutobahnCase(id, what, Fill);

                AutobahnCase Fill(AutobahnCase test)
                {
                    for (var i = 0; i < RoundTrips; i++) test.Echo(opcode, Repeat(pattern, length)).Await();
                    return test;
                }
            }
        }
    }

    private static byte[] Repeat(byte[] pattern, int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++) bytes[i] = pattern[i % pattern.Length];
        return bytes;
    }
}
