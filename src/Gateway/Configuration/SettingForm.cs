namespace Gateway.Configuration;

/// <summary>What form a setting has.</summary>
internal enum SettingForm
{
    /// <summary>Text.</summary>
    Text,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Boolean,

    /// <summary>A whole number.</summary>
    Number,

    /// <summary>A time as hours:minutes:seconds.</summary>
    Duration,

    /// <summary>A list of texts.</summary>
    List,

    /// <summary>A group of further settings.</summary>
    Section,

    /// <summary>Groups of further settings by name.</summary>
    NamedSections,
}
