namespace Gateway.Benchmarks.Load;

/// <summary>A measurement that cannot be made; the message says why, for the person at the keyboard.</summary>
internal sealed class LoadException(string message) : Exception(message);
