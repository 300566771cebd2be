namespace Gateway.Streams;

/// <summary>
/// A set of byte prefixes, each with a value. Finds the values of all prefixes of a text in one walk, whose cost depends on the text and on
/// the prefixes that match, never on how many others there are.
/// </summary>
/// <remarks>
/// A radix tree: an edge carries as many bytes as have no branch, so a topic of 4 KiB costs one node. Nothing recurses, however long a prefix
/// is. Not synchronised: its owner's lock covers changes and matching.
/// </remarks>
internal sealed class TopicTrie<T>
    where T : class
{
    private readonly Node _root = new([]);

    /// <summary>Number of prefixes.</summary>
    public int Count { get; private set; }

    /// <summary>Finds the value of exactly this prefix.</summary>
    public T? Find(ReadOnlySpan<byte> prefix)
    {
        var node = _root;
        while (node is not null)
        {
            if (!prefix.StartsWith(node.Label)) return null;
            prefix = prefix[node.Label.Length..];
            if (prefix.IsEmpty) return node.Value;
            node = node.ChildAt(prefix[0]);
        }

        return null;
    }

    /// <summary>Adds a prefix that is not there yet.</summary>
    /// <exception cref="ArgumentException">The prefix is there.</exception>
    public void Add(ReadOnlySpan<byte> prefix, T value)
    {
        var node = _root;
        while (!prefix.IsEmpty)
        {
            if (node.ChildAt(prefix[0]) is not { } child)
            {
                node.Attach(new Node(prefix.ToArray()) { Value = value });
                Count++;
                return;
            }

            var common = prefix.CommonPrefixLength(child.Label);
            if (common < child.Label.Length) child.SplitAt(common);
            node = child;
            prefix = prefix[common..];
        }

        if (node.Value is not null) throw new ArgumentException("The prefix is in the trie already.", nameof(prefix));
        node.Value = value;
        Count++;
    }

    /// <summary>Takes a prefix out; what only it needed goes with it.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(ReadOnlySpan<byte> prefix)
    {
        var (above, node) = (_root, _root);
        while (!prefix.IsEmpty)
        {
            var child = node.ChildAt(prefix[0]);
            if (child is null || !prefix.StartsWith(child.Label)) return false;
            (above, node) = (node, child);
            prefix = prefix[child.Label.Length..];
        }

        if (node.Value is null) return false;
        node.Value = null;
        Count--;
        if (node == _root) return true;
        if (node.ChildCount == 1)
        {
            node.MergeWithOnlyChild();
        }
        else if (node.ChildCount == 0)
        {
            above.Detach(node);
            // The node above may have been nothing but the fork of two edges.
            if (above != _root && above.Value is null && above.ChildCount == 1) above.MergeWithOnlyChild();
        }

        return true;
    }

    /// <summary>Walks the values of all prefixes of <paramref name="text"/>, the shortest first. Allocates nothing.</summary>
    public MatchEnumerator Match(ReadOnlySpan<byte> text) => new(_root, text);

    /// <summary>Enumerates matches; the trie must not change meanwhile.</summary>
    public ref struct MatchEnumerator
    {
        private ReadOnlySpan<byte> _rest;
        private Node? _next;

        internal MatchEnumerator(Node root, ReadOnlySpan<byte> text)
        {
            _next = root;
            _rest = text;
            Current = null!;
        }

        /// <summary>The value found last.</summary>
        public T Current { get; private set; }

        /// <summary>Goes on to the next match.</summary>
        public bool MoveNext()
        {
            while (_next is { } node && _rest.StartsWith(node.Label))
            {
                _rest = _rest[node.Label.Length..];
                _next = _rest.IsEmpty ? null : node.ChildAt(_rest[0]);
                if (node.Value is null) continue;
                Current = node.Value;
                return true;
            }

            _next = null;
            return false;
        }

        /// <summary>Lets foreach use the enumerator.</summary>
        public readonly MatchEnumerator GetEnumerator() => this;
    }

    internal sealed class Node(byte[] label)
    {
        // First bytes of the children, beside the children: found by one vectorised search.
        private byte[] _keys = [];
        private Node[] _children = [];

        public byte[] Label { get; private set; } = label;

        public T? Value { get; set; }

        public int ChildCount => _children.Length;

        public Node? ChildAt(byte key)
        {
            var index = _keys.AsSpan().IndexOf(key);
            return index < 0 ? null : _children[index];
        }

        public void Attach(Node child)
        {
            _keys = [.. _keys, child.Label[0]];
            _children = [.. _children, child];
        }

        public void Detach(Node child)
        {
            var index = Array.IndexOf(_children, child);
            _keys = [.. _keys.AsSpan(0, index), .. _keys.AsSpan(index + 1)];
            _children = [.. _children.AsSpan(0, index), .. _children.AsSpan(index + 1)];
        }

        /// <summary>Puts a node between this one's first <paramref name="length"/> bytes and the rest.</summary>
        public void SplitAt(int length)
        {
            var rest = new Node(Label[length..]) { Value = Value, _keys = _keys, _children = _children };
            Label = Label[..length];
            Value = null;
            (_keys, _children) = ([rest.Label[0]], [rest]);
        }

        public void MergeWithOnlyChild()
        {
            var child = _children[0];
            Label = [.. Label, .. child.Label];
            Value = child.Value;
            (_keys, _children) = (child._keys, child._children);
        }
    }
}
