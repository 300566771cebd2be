using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Gateway.Configuration;

/// <summary>Reads YAML into configuration keys: mappings and sequences become paths with colons.</summary>
internal static class YamlFile
{
    /// <summary>Reads the first document of a text.</summary>
    /// <exception cref="YamlException">It is no YAML, or a key stands twice.</exception>
    /// <exception cref="FormatException">Two keys differ in case only, or the document is no mapping.</exception>
    public static IReadOnlyDictionary<string, string?> Parse(TextReader text)
    {
        var stream = new YamlStream();
        // Merge keys (<<: *anchor) are what people share settings with.
        stream.Load(new MergingParser(new Parser(text)));
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        if (stream.Documents.Count == 0 || IsNull(stream.Documents[0].RootNode)) return values;
        if (stream.Documents[0].RootNode is not YamlMappingNode root) throw new FormatException("The document is not a mapping of keys to values.");
        Add(values, "", root);
        return values;
    }

    private static void Add(Dictionary<string, string?> values, string path, YamlNode node)
    {
        switch (node)
        {
            case YamlMappingNode { Children.Count: > 0 } mapping:
                foreach (var (key, value) in mapping) Add(values, Under(path, KeyOf(key)), value);
                break;
            case YamlSequenceNode { Children.Count: > 0 } sequence:
                for (var at = 0; at < sequence.Children.Count; at++) Add(values, Under(path, at.ToString()), sequence[at]);
                break;
            default:
                var text = node is YamlScalarNode scalar && !IsNull(node) ? scalar.Value : null;
                if (!values.TryAdd(path, text)) throw new FormatException($"The key {path} stands twice (case does not matter), line {node.Start.Line}.");
                break;
        }
    }

    private static string KeyOf(YamlNode key) =>
        key is YamlScalarNode { Value: { } text } ? text : throw new FormatException($"A key is not a text, line {key.Start.Line}.");

    private static string Under(string path, string key) => path.Length == 0 ? key : $"{path}:{key}";

    private static bool IsNull(YamlNode node) => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" or "Null" or "NULL" };
}
