using System.Diagnostics;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Sockets;

public class PrefixSetTests
{
    // Three letters: prefixes of each other are common, and edges split and merge all the time.
    private static readonly Gen<byte[]> Topics = Gen.Elements((byte)'a', (byte)'b', (byte)0).ArrayOf().Resize(6);

    [Fact]
    public void Holds_and_matches_what_a_naive_set_does_whatever_was_added_and_removed()
    {
        var changes = Gen.Zip(Gen.Elements(true, true, false), Topics).ArrayOf().Resize(40);
        var cases = Gen.Zip(changes, Topics.ArrayOf().Resize(20)).ToArbitrary();
        Prop.ForAll(cases, @case =>
        {
            var set = new PrefixSet();
            var naive = new HashSet<string>(StringComparer.Ordinal);
            foreach (var (add, topic) in @case.Item1) Assert.Equal(add ? naive.Add(Name(topic)) : naive.Remove(Name(topic)), add
                ? set.Add(topic) : set.Remove(topic));
            Assert.Equal(naive.Count, set.Count);
            Assert.Equal(naive.Sum(name => PrefixSet.Cost(Encoding.Latin1.GetBytes(name))), set.Bytes);
            Assert.Equal(naive.Order(StringComparer.Ordinal), set.All().Select(Name).Order(StringComparer.Ordinal));
            foreach (var topic in @case.Item2) Assert.Equal(naive.Any(prefix => Name(topic).StartsWith(prefix, StringComparison.Ordinal)),
                set.Matches(topic));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Thousands_of_lengths_cost_a_topic_that_matches_none_of_them_nothing()
    {
        var set = new PrefixSet();
        for (var length = 1; length <= 4_096; length++) set.Add([.. Enumerable.Repeat((byte)'a', length - 1), (byte)'b']);
        var (other, path) = ("z".PadRight(4_096, 'a'), "aab".PadRight(4_096, 'x'));
        Assert.False(set.Matches(Encoding.ASCII.GetBytes(other)));
        Assert.True(set.Matches(Encoding.ASCII.GetBytes(path)));
        // A look at each length hashes 8 MiB: 3 ms. This is a step.
        var topic = Encoding.ASCII.GetBytes(other);
        var best = TimeSpan.MaxValue;
        for (var i = 0; i < 100; i++)
        {
            var start = Stopwatch.GetTimestamp();
            set.Matches(topic);
            var took = Stopwatch.GetElapsedTime(start);
            best = took < best ? took : best;
        }

        Assert.InRange(best, TimeSpan.Zero, TimeSpan.FromMilliseconds(0.1));
    }

    private static string Name(byte[] topic) => Encoding.Latin1.GetString(topic);
}
