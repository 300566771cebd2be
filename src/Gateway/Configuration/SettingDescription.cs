using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;

namespace Gateway.Configuration;

/// <summary>
/// One option as its property and attributes declare it. The reader, the JSON Schema and the documentation all go by it, so that a
/// range or a default stands in one place.
/// </summary>
internal sealed class SettingDescription
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<SettingDescription>> Known = new();

    private readonly string? _words;

    private SettingDescription(PropertyInfo property, object owner)
    {
        Property = property;
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        Form = FormOf(type);
        Default = property.GetValue(owner);
        _words = property.GetCustomAttribute<AllowedAttribute>()?.Words;
        Range = property.GetCustomAttribute<RangeAttribute>();
        // The attribute turns the texts of its bounds into values at its first use; now, so that they never change under a reader.
        _ = Range?.IsValid(null);
        IsRequired = property.GetCustomAttribute<RequiredAttribute>() is not null;
        AppliesTo = property.GetCustomAttribute<AppliesToAttribute>()?.Kinds;
        Choices = type.IsEnum
            ? Enum.GetNames(type)
            : property.GetCustomAttribute<AllowedValuesAttribute>()?.Values.OfType<string>().ToArray() ?? [];
        SectionType = Form switch
        {
            SettingForm.Section => type,
            SettingForm.NamedSections => type.GetGenericArguments()[1],
            _ => null,
        };
    }

    /// <summary>The property that holds the value.</summary>
    public PropertyInfo Property { get; }

    /// <summary>Key in the configuration.</summary>
    public string Name => Property.Name;

    /// <summary>Form of the value.</summary>
    public SettingForm Form { get; }

    /// <summary>Value when nothing is given; null for none or one that depends on others.</summary>
    public object? Default { get; }

    /// <summary>Bounds of a number or a time.</summary>
    public RangeAttribute? Range { get; }

    /// <summary>Whether a value has to be given.</summary>
    public bool IsRequired { get; }

    /// <summary>Kinds of routes, or of backends by their routes, that take the setting; null for all.</summary>
    public RouteKinds? AppliesTo { get; }

    /// <summary>The words allowed; empty for no such list.</summary>
    public IReadOnlyList<string> Choices { get; }

    /// <summary>Type of the section, or of each named section.</summary>
    public Type? SectionType { get; }

    /// <summary>What is allowed, as it follows <c>allowed:</c> in an error and stands in the documentation.</summary>
    public string Allowed => Form switch
    {
        _ when _words is not null => _words,
        _ when Choices.Count > 0 => $"one of {string.Join(", ", Choices)}",
        SettingForm.Boolean => "true or false",
        SettingForm.Number => $"a whole number{Bounds()}",
        SettingForm.Duration => $"a time{Bounds()}, written as hours:minutes:seconds",
        SettingForm.List => "a list of texts",
        SettingForm.Section or SettingForm.NamedSections => "a group of settings",
        _ => "a text",
    };

    /// <summary>The default as it would stand in a file; null for none, for sections and for lists.</summary>
    public string? DefaultText => Default switch
    {
        null or "" => null,
        bool flag => flag ? "true" : "false",
        _ when Form is SettingForm.List or SettingForm.Section or SettingForm.NamedSections => null,
        var value => TextOf(value),
    };

    /// <summary>A value as people write it: a time without idle zeros.</summary>
    public static string TextOf(object? value) =>
        value is TimeSpan { Milliseconds: not 0 } time ? time.ToString().TrimEnd('0') : value?.ToString() ?? "";

    /// <summary>The settings of an options class, in the order of its properties.</summary>
    public static IReadOnlyList<SettingDescription> Of(Type type) => Known.GetOrAdd(type, static type =>
    {
        var owner = Activator.CreateInstance(type)!;
        return [.. type.GetProperties().Where(property => property.CanWrite).Select(property => new SettingDescription(property, owner))];
    });

    /// <summary>Makes the value of a text; the answer is null when it does not convert or lies outside the bounds.</summary>
    public object? Convert(string text)
    {
        var type = Nullable.GetUnderlyingType(Property.PropertyType) ?? Property.PropertyType;
        if (Choices.Count > 0)
        {
            var choice = Choices.FirstOrDefault(choice => choice.Equals(text, StringComparison.OrdinalIgnoreCase));
            return choice is null || !type.IsEnum ? choice : Enum.Parse(type, choice);
        }

        return Form switch
        {
            SettingForm.Boolean => bool.TryParse(text, out var flag) ? flag : null,
            SettingForm.Number => TryNumber(text, type, out var number) ? InRange(number) : null,
            SettingForm.Duration => InRange(Duration(text)),
            _ => text,
        };
    }

    private static bool TryNumber(string text, Type type, [NotNullWhen(true)] out object? value)
    {
        value = null;
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) return false;
        if (type == typeof(long)) value = number;
        else if (number is >= int.MinValue and <= int.MaxValue) value = (int)number;
        return value is not null;
    }

    private static TimeSpan? Duration(string text) =>
        // TimeSpan reads "30" as thirty days; nobody means that.
        (text.Contains(':', StringComparison.Ordinal) || text == "0") && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time)
            ? time
            : null;

    private object? InRange(object? value) => value is not null && (Range is null || Range.IsValid(value)) ? value : null;

    private string Bounds()
    {
        if (Range is null) return "";
        var (from, to) = (TextOf(Range.Minimum), TextOf(Range.Maximum));
        return Range.MinimumIsExclusive ? $" above {from}, at most {to}" : $" from {from} to {to}";
    }

    private static SettingForm FormOf(Type type)
    {
        if (type == typeof(bool)) return SettingForm.Boolean;
        if (type == typeof(int) || type == typeof(long)) return SettingForm.Number;
        if (type == typeof(TimeSpan)) return SettingForm.Duration;
        if (type == typeof(string) || type.IsEnum) return SettingForm.Text;
        if (type == typeof(List<string>)) return SettingForm.List;
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Dictionary<,>) ? SettingForm.NamedSections : SettingForm.Section;
    }
}
