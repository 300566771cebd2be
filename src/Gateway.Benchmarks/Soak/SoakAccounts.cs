using System.Collections.Concurrent;

namespace Gateway.Benchmarks.Soak;

/// <summary>What happened, by name, and what must not have happened.</summary>
internal sealed class SoakAccounts
{
    private const int MostPrinted = 20;
    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _wrong = new(StringComparer.Ordinal);

    public bool IsWrong => !_wrong.IsEmpty;

    public void Count(string what, long by = 1) => _counts.AddOrUpdate(what, by, (_, sum) => sum + by);

    public long this[string what] => _counts.GetValueOrDefault(what);

    /// <summary>Counts an error and prints the first of them at once.</summary>
    public void Wrong(string account, string what)
    {
        var number = _wrong.AddOrUpdate(account, 1, static (_, sum) => sum + 1);
        if (number <= MostPrinted) Console.WriteLine($"WRONG {account}: {what}");
    }

    public void Print()
    {
        foreach (var (what, count) in _counts.OrderBy(pair => pair.Key, StringComparer.Ordinal)) Console.WriteLine(
            $"{what,-48} {count,12:#,0}");
        foreach (var (account, count) in _wrong.OrderBy(pair => pair.Key, StringComparer.Ordinal)) Console.WriteLine(
            $"WRONG {account,-42} {count,12:#,0}");
    }
}
