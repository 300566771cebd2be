namespace Gateway.Configuration;

/// <summary>What a text, or an entry of a list, may be, in words that follow <c>allowed:</c>. The validator enforces it.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AllowedAttribute(string words) : Attribute
{
    /// <summary>The words.</summary>
    public string Words { get; } = words;
}
