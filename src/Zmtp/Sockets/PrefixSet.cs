namespace Zmtp.Sockets;

/// <summary>
/// The subscriptions of one peer: a set of byte prefixes. Matching walks the topic once; its cost depends on the bytes that match, never on
/// how many prefixes, or lengths of them, there are.
/// </summary>
/// <remarks>
/// A radix tree: an edge carries as many bytes as have no branch. Not thread-safe: its socket's lock guards it. No recursion, so a topic's
/// length costs no stack.
/// </remarks>
internal sealed class PrefixSet
{
    private readonly Node _root = new([]);

    public int Count { get; private set; }

    /// <summary>What the prefixes cost in memory, about.</summary>
    public long Bytes { get; private set; }

    /// <summary>What one prefix costs: its bytes, and its share of nodes, of their arrays and of the forks between them.</summary>
    public static long Cost(ReadOnlySpan<byte> prefix) => prefix.Length + 128;

    public bool Add(ReadOnlySpan<byte> prefix)
    {
        var node = _root;
        var rest = prefix;
        while (!rest.IsEmpty)
        {
            if (node.ChildAt(rest[0]) is not { } child)
            {
                child = new Node(rest.ToArray());
                node.Attach(child);
            }

            var common = rest.CommonPrefixLength(child.Label);
            if (common < child.Label.Length) child.SplitAt(common);
            node = child;
            rest = rest[common..];
        }

        if (node.IsMember) return false;
        node.IsMember = true;
        Count++;
        Bytes += Cost(prefix);
        return true;
    }

    public bool Remove(ReadOnlySpan<byte> prefix)
    {
        var (above, node) = (_root, _root);
        var rest = prefix;
        while (!rest.IsEmpty)
        {
            var child = node.ChildAt(rest[0]);
            if (child is null || !rest.StartsWith(child.Label)) return false;
            (above, node) = (node, child);
            rest = rest[child.Label.Length..];
        }

        if (!node.IsMember) return false;
        node.IsMember = false;
        Count--;
        Bytes -= Cost(prefix);
        if (node == _root) return true;
        if (node.ChildCount == 0) above.Detach(node);
        else if (node.ChildCount == 1) node.MergeWithOnlyChild();
        // The node above may have been nothing but the fork of two edges.
        if (above != _root && !above.IsMember && above.ChildCount == 1) above.MergeWithOnlyChild();
        return true;
    }

    public bool Matches(ReadOnlySpan<byte> topic)
    {
        for (var node = _root; node is not null && topic.StartsWith(node.Label); node = topic.IsEmpty ? null : node.ChildAt(topic[0]))
        {
            if (node.IsMember) return true;
            topic = topic[node.Label.Length..];
        }

        return false;
    }

    /// <summary>All prefixes, in no order.</summary>
    public IEnumerable<byte[]> All()
    {
        var open = new Stack<(Node Node, byte[] Prefix)>([(_root, [])]);
        while (open.TryPop(out var next))
        {
            if (next.Node.IsMember) yield return next.Prefix;
            foreach (var child in next.Node.Children) open.Push((child, [.. next.Prefix, .. child.Label]));
        }
    }

    private sealed class Node(byte[] label)
    {
        // First bytes of the children, beside the children: found by one vectorised search.
        private byte[] _keys = [];
        private Node[] _children = [];

        public byte[] Label { get; private set; } = label;

        /// <summary>Whether the bytes from the root to here are a prefix of the set, and not only the beginning of some.</summary>
        public bool IsMember { get; set; }

        public int ChildCount => _children.Length;

        public IReadOnlyList<Node> Children => _children;

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
            var rest = new Node(Label[length..]) { IsMember = IsMember, _keys = _keys, _children = _children };
            (Label, IsMember) = (Label[..length], false);
            (_keys, _children) = ([rest.Label[0]], [rest]);
        }

        public void MergeWithOnlyChild()
        {
            var child = _children[0];
            (Label, IsMember) = ([.. Label, .. child.Label], child.IsMember);
            (_keys, _children) = (child._keys, child._children);
        }
    }
}
