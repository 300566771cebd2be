namespace Gateway.Benchmarks.Load;

/// <summary>Figures by measurement and side over all rounds, and the table of their medians.</summary>
internal sealed class Report
{
    private readonly List<Row> _rows = [];

    /// <summary>Starts a row.</summary>
    /// <param name="what">What is measured.</param>
    /// <param name="unit">Unit of both sides' figures.</param>
    /// <param name="target">What the ratio, or the figure if there is no baseline, has to meet; null when it only informs.</param>
    public Row Add(string what, string unit, Target? target = null)
    {
        var row = new Row(what, unit, target);
        _rows.Add(row);
        return row;
    }

    public void Print(string title, string baseline)
    {
        Console.WriteLine($"\n### {title}\n");
        Console.WriteLine($"| | unit | Gateway | {baseline} | ratio | target | |");
        Console.WriteLine("|---|---|---:|---:|---:|---:|---|");
        foreach (var row in _rows) Console.WriteLine(row);
    }

    /// <summary>What a figure has to meet.</summary>
    /// <param name="Limit">The bound.</param>
    /// <param name="AtLeast">Whether the bound is the least or the most allowed.</param>
    internal sealed record Target(double Limit, bool AtLeast)
    {
        public bool Met(double figure) => AtLeast ? figure >= Limit : figure <= Limit;

        public override string ToString() => $"{(AtLeast ? "≥" : "≤")} {Limit:0.##}";
    }

    internal sealed class Row(string what, string unit, Target? target)
    {
        private readonly List<double> _gateway = [];
        private readonly List<double> _baseline = [];

        public void Gateway(double figure) => _gateway.Add(figure);

        public void Baseline(double figure) => _baseline.Add(figure);

        public override string ToString()
        {
            var (ours, theirs) = (Median(_gateway), Median(_baseline));
            // Each round's ratio stands for itself: both sides had the same seconds and the same neighbours.
            double? ratio = _baseline.Count > 0 ? Median([.. _gateway.Zip(_baseline, (a, b) => a / b)]) : null;
            var verdict = target is null || ours is null ? "" : target.Met(ratio ?? ours.Value) ? "met" : "missed";
            return $"| {what} | {unit} | {Text(ours)} | {Text(theirs)} | {(ratio is { } value ? $"{value:0.00}" : "")} | {target} | {verdict} |";
        }

        private static double? Median(List<double> figures)
        {
            if (figures.Count == 0) return null;
            var sorted = figures.Order().ToArray();
            return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        }

        private static string Text(double? figure) => figure switch
        {
            null => "",
            >= 1000 => $"{figure:#,0}",
            >= 10 => $"{figure:0.0}",
            _ => $"{figure:0.000}",
        };
    }
}
