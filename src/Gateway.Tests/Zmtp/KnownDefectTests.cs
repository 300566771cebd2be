using System.Reflection;
using System.Text;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Zmtp;

/// <summary>Every defect of other implementations that we know has a test that names it; <c>docs/known-defects.md</c> says which.</summary>
public class KnownDefectTests
{
    private static readonly (string Id, string What)[] Defects =
    [
        ("CVE-2014-7202", "the peer's greeting chose the mechanism"),
        ("CVE-2014-7203", "CURVE nonces were not checked for replay"),
        ("CVE-2014-9721", "headers of ZMTP 1 and 2 skipped security"),
        ("CVE-2019-6250", "an announced size overflowed a pointer"),
        ("CVE-2019-13132", "metadata of INITIATE overran the stack"),
        ("CVE-2020-15166", "silent TCP connections starved real peers"),
        ("CVE-2020-36400", "heap overflow found by fuzzing"),
        ("CVE-2021-20234", "unfinished multipart messages leaked"),
        ("CVE-2021-20235", "the decoder of ZMTP 1 wrote past its buffer"),
        ("CVE-2021-20236", "a long topic used up the stack"),
        ("CVE-2021-20237", "junk sent to a publisher was kept for ever"),
        ("PING shorter than its ttl leaks memory (libzmq process_heartbeat_message)", "no CVE"),
        ("TTL above 655 wraps to milliseconds (libzmq#4226)", "no CVE"),
        ("ZMTP 1.0 bytes of a port scanner become a message (libzmq PR#4932)", "no CVE"),
        ("libzmq#141", "a message torn when its sender dies"),
        ("libzmq#180", "a message torn over two receivers"),
        ("libzmq#954", "memory lost per connection with a wrong CURVE key"),
        ("libzmq#1245", "half-open peers are not seen"),
        ("libzmq#1362", "messages miscounted over a reconnect"),
        ("libzmq#1575", "a route is lost after its peer restarts with a new id"),
        ("libzmq#2161", "drops at the high-water mark are not exact"),
        ("libzmq#2163", "assertion after a disconnect inside a message"),
        ("libzmq#2258", "subscriptions above the high-water mark are lost on a reconnect"),
        ("libzmq#2316", "subscribing and cancelling eats the high-water mark"),
        ("libzmq#2709", "a slow large frame counts as silence"),
        ("libzmq#2892", "a name is handed over only after the application reads"),
        ("libzmq#2942", "a cancel of an unknown topic crashes the publisher"),
        ("libzmq#3057", "messages out of order after a quick reconnect"),
        ("libzmq#3060", "a REQ is disturbed by its own PING"),
        ("libzmq#3072", "a peer of the wrong type crashes the socket at its close"),
        ("libzmq#3485", "assertion after a disconnect inside a message"),
        ("libzmq#3594", "timers of heartbeats used after their end"),
        ("libzmq#4218", "memory lost per connection"),
        ("libzmq#4222", "old messages flood a peer that comes back"),
        ("libzmq#4232", "memory lost per connection"),
        ("libzmq#4503", "a duplicate name is ignored silently"),
        ("libzmq#4599", "a TCP connection to itself"),
        ("ROUTER ids with a leading zero or of 256 bytes", "libzmq takes them from the wire"),
        ("NetMQ#1037", "objects lost per connection"),
        ("jeromq#334", "a truncated frame delivered as a whole one"),
        ("jeromq#1009", "messages lost by CURVE at the high-water mark"),
        ("pyzmq#1244", "large messages torn"),
    ];

    [Fact]
    public void Each_one_has_a_test_that_names_it()
    {
        var tests = typeof(KnownDefectTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods().Where(method => method.GetCustomAttribute<FactAttribute>() is not null))
            .SelectMany(method => Proven(method).Select(id => (Id: id, Test: $"{method.DeclaringType!.Name}.{method.Name}")))
            .ToLookup(pair => pair.Id, pair => pair.Test, StringComparer.Ordinal);
        Assert.Empty(Defects.Where(defect => !tests.Contains(defect.Id)).Select(defect => defect.Id));
        Assert.Empty(tests.Select(group => group.Key).Except(Defects.Select(defect => defect.Id), StringComparer.Ordinal));
        CheckedIn.AssertCurrent("docs/known-defects.md", Render(tests));
    }

    private static IEnumerable<string> Proven(MethodInfo method)
    {
        var named = method.GetCustomAttributesData()
            .Where(data => data.AttributeType == typeof(TraitAttribute) && (string)data.ConstructorArguments[0].Value! == "Proves")
            .Select(data => (string)data.ConstructorArguments[1].Value!);
        // CVE_2014_7202_A_greeting… names its own.
        var parts = method.Name.Split('_');
        return parts is ["CVE", var year, var number, ..] ? named.Append($"CVE-{year}-{number}").Distinct(StringComparer.Ordinal) : named;
    }

    private static string Render(ILookup<string, string> tests)
    {
        var text = new StringBuilder();
        text.Append("# Known defects of other implementations, and our tests for them\n\n");
        text.Append("Vulnerabilities and bugs of libzmq, NetMQ, JeroMQ and pyzmq that the engine must not share. Made by `KnownDefectTests` from the tests that name them; ");
        text.Append("`UPDATE_CHECKED_IN=1 ./test.sh` writes it again.\n\n| Defect | What it was | Tests |\n|---|---|---|\n");
        foreach (var (id, what) in Defects) text.Append($"| {id} | {what} | {string.Join(", ", tests[id].Order(StringComparer.Ordinal).Select(test => $"`{test}`"))} |\n");
        return text.ToString();
    }
}
