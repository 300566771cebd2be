using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Streams;

namespace Gateway.Tests.Streams;

public class TopicTrieTests
{
    // Three letters: prefixes of each other are common, and edges split and merge all the time.
    private static readonly Gen<byte[]> Topics = Gen.Elements((byte)'a', (byte)'b', (byte)0).ArrayOf().Resize(6);

    [Fact]
    public void Finds_what_a_naive_matcher_finds_whatever_was_added_and_removed()
    {
        var changes = Gen.Zip(Gen.Elements(true, true, false), Topics).ArrayOf().Resize(40);
        var cases = Gen.Zip(changes, Topics.ArrayOf().Resize(20)).ToArbitrary();
        Prop.ForAll(cases, @case =>
        {
            var trie = new TopicTrie<string>();
            var naive = new HashSet<string>(StringComparer.Ordinal);
            foreach (var (add, topic) in @case.Item1)
            {
                var name = Name(topic);
                if (!add) Assert.Equal(naive.Remove(name), trie.Remove(topic));
                else if (naive.Add(name)) trie.Add(topic, name);
                Assert.Equal(naive.Contains(name) ? name : null, trie.Find(topic));
            }

            Assert.Equal(naive.Count, trie.Count);
            foreach (var text in @case.Item2)
            {
                var expected = naive.Where(prefix => Name(text).StartsWith(prefix, StringComparison.Ordinal)).OrderBy(prefix => prefix.Length);
                Assert.Equal(expected, Matches(trie, text));
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void An_empty_prefix_matches_every_text()
    {
        var trie = new TopicTrie<string>();
        trie.Add([], "all");
        Assert.Equal(["all"], Matches(trie, []));
        Assert.Equal(["all"], Matches(trie, "anything"u8));
    }

    [Fact]
    public void A_prefix_is_not_found_by_a_text_that_ends_before_it()
    {
        var trie = new TopicTrie<string>();
        trie.Add("a/b"u8, "a/b");
        Assert.Empty(Matches(trie, "a/"u8));
        Assert.Empty(Matches(trie, "a/c"u8));
    }

    [Fact]
    public void A_prefix_is_added_once()
    {
        var trie = new TopicTrie<string>();
        trie.Add("a"u8, "first");
        Assert.Throws<ArgumentException>(() => trie.Add("a"u8, "second"));
    }

    [Fact]
    public void Topics_of_a_mebibyte_neither_recurse_nor_allocate_when_matched()
    {
        var trie = new TopicTrie<string>();
        var text = new byte[1024 * 1024];
        for (var length = 1; length <= text.Length; length *= 2) trie.Add(text.AsSpan(0, length), $"{length}");
        var before = GC.GetAllocatedBytesForCurrentThread();
        var found = 0;
        foreach (var _ in trie.Match(text)) found++;
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(21, found);
        Assert.Equal(0, allocated);
    }

    private static string Name(byte[] topic) => Encoding.Latin1.GetString(topic);

    private static List<string> Matches(TopicTrie<string> trie, ReadOnlySpan<byte> text)
    {
        var found = new List<string>();
        foreach (var value in trie.Match(text)) found.Add(value);
        return found;
    }
}
