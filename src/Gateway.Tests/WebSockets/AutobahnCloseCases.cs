namespace Gateway.Tests.WebSockets;

/// <summary>Group 7 of the Autobahn test suite, closing.</summary>
internal static class AutobahnCloseCases
{
    private const int Continuation = 0;
    private const int Text = 1;
    private const int Ping = 9;
    private const string Hello = "Hello World!";

    public static IEnumerable<AutobahnCase> All()
    {
        yield return new AutobahnCase("7.1.1", "text, then close").Echo(Text, Hello);
        yield return new AutobahnCase("7.1.2", "two closes").SendClose(1000).Send(8);
        yield return new AutobahnCase("7.1.3", "ping after close").SendClose(1000).Send(Ping);
        yield return new AutobahnCase("7.1.4", "text after close").SendClose(1000).Send(Text, Hello);
        yield return new AutobahnCase("7.1.5", "close inside a fragmented message")
            .Send(Text, "one", fin: false).SendClose(1000).Send(Continuation, "two");
        // The suite leaves open whether the messages before the close come back; here they must.
        yield return new AutobahnCase("7.1.6", "256 KiB, text, close and ping in a row").Echo(Text, Large()).Echo(Text, Hello).SendClose(1000).Send(Ping);
        yield return new AutobahnCase("7.3.1", "close without payload").SendClose([]).Closes(0, 1000);
        yield return new AutobahnCase("7.3.2", "close with 1 byte").SendClose([(byte)'a']).Fails(1002);
        yield return new AutobahnCase("7.3.3", "close with a code").SendClose(1000);
        yield return new AutobahnCase("7.3.4", "close with a reason").SendClose(1000, Hello);
        yield return new AutobahnCase("7.3.5", "close with a reason of 123 bytes").SendClose(1000, new string('*', 123));
        yield return new AutobahnCase("7.3.6", "close with a reason of 124 bytes").SendClose(1000, new string('*', 124)).Fails(1002);
        yield return new AutobahnCase("7.5.1", "close with a reason that is not UTF-8")
            .SendClose(Convert.FromHexString("03e8" + "cebae1bdb9cf83cebcceb5eda080656469746564")).Fails(1002, 1007);

        var number = 1;
        foreach (var code in new[] { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999 })
            yield return new AutobahnCase($"7.7.{number++}", $"close with {code}, which is good").SendClose(code).Closes(1000, code);

        number = 1;
        foreach (var code in new[] { 0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999 })
            yield return new AutobahnCase($"7.9.{number++}", $"close with {code}, which is bad").SendClose(code).Fails(1002);

        // The suite leaves these open; here they are refused.
        yield return new AutobahnCase("7.13.1", "close with 5000").SendClose(5000).Fails(1002);
        yield return new AutobahnCase("7.13.2", "close with 65535").SendClose(65_535).Fails(1002);
    }

    private static byte[] Large()
    {
        var bytes = new byte[256 * 1024];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)("BAsd7&jh23"[i % 10]);
        return bytes;
    }
}
