using System.Collections.Frozen;
using Zmtp.Security;

namespace Zmtp.Authentication;

/// <summary>The certificates <c>*.key</c> of a directory, read again when they change: the system tells, and the time stamps are looked at besides.</summary>
/// <remarks>
/// A file that cannot be read keeps the key that it had; all others are taken, so that a broken file does not keep a removed one alive. When the
/// directory itself cannot be read, everything stays.
/// </remarks>
internal sealed class CertificateDirectory : IDisposable
{
    /// <summary>Files are written in several steps; the last of them counts.</summary>
    internal static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(200);

    private readonly string _path;
    private readonly AllowListOptions _options;
    private readonly Lock _gate = new();
    private readonly ITimer _checking;
    private readonly ITimer _soon;
    private readonly FileSystemWatcher? _watcher;
    private Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private FrozenDictionary<string, string> _users = FrozenDictionary<string, string>.Empty;
    private string? _directoryError;
    private bool _disposed;

    /// <exception cref="ZmtpException">The directory, or a file in it, cannot be read; the message names it.</exception>
    public CertificateDirectory(string path, AllowListOptions options)
    {
        (_path, _options) = (Path.GetFullPath(path), options);
        if (Scan() is { } problem) throw new ZmtpException(problem.Words, problem.Error);
        _checking = options.Time.CreateTimer(Check, null, options.CheckInterval, options.CheckInterval);
        _soon = options.Time.CreateTimer(Check, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _watcher = Watch();
    }

    /// <summary>How many keys there are.</summary>
    public int Count => Volatile.Read(ref _users).Count;

    /// <summary>The user of a public key in Z85; null for none.</summary>
    public string? UserOf(string key) => Volatile.Read(ref _users).GetValueOrDefault(key);

    public void Dispose()
    {
        // A check that is running ends first and then finds that it was the last.
        lock (_gate) _disposed = true;
        _watcher?.Dispose();
        _checking.Dispose();
        _soon.Dispose();
    }

    private FileSystemWatcher? Watch()
    {
        FileSystemWatcher? watcher = null;
        try
        {
            // All names, not only *.key: a mounted Kubernetes secret changes by another link beside its files.
            watcher = new FileSystemWatcher(_path) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size };
            watcher.Changed += Hear;
            watcher.Created += Hear;
            watcher.Deleted += Hear;
            watcher.Renamed += Hear;
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (IOException e)
        {
            // The system's limit of watchers is reached; the time stamps are looked at all the same.
            watcher?.Dispose();
            Report($"{_path} is not watched, it is looked at every {_options.CheckInterval.TotalSeconds:0.#} s", e);
            return null;
        }

        void Hear(object sender, FileSystemEventArgs e)
        {
            try
            {
                _soon.Change(Quiet, Timeout.InfiniteTimeSpan);
            }
            catch (ObjectDisposedException)
            {
                // A change during the end; nobody looks any more.
                return;
            }
        }
    }

    private void Check(object? state)
    {
        lock (_gate)
        {
            if (_disposed) return;
            try
            {
                Scan();
            }
            catch (Exception e)
            {
                // The top of a timer's thread: what was read stays, and the next look tries again.
                var words = $"the certificates of {_path} cannot be checked: {e.Message.TrimEnd('.')}";
                if (words != _directoryError) Report(words, e);
                _directoryError = words;
            }
        }
    }

    /// <returns>The first problem that was not there at the last look.</returns>
    private (string Words, Exception Error)? Scan()
    {
        (string Words, Exception Error)? first = null;
        var entries = new Dictionary<string, Entry>(StringComparer.Ordinal);
        try
        {
            foreach (var file in Directory.EnumerateFiles(_path, "*.key"))
            {
                var before = _entries.GetValueOrDefault(file);
                entries[file] = Look(file, before, out var problem);
                first ??= problem;
            }

            _directoryError = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var words = $"the certificates of {_path} cannot be read: {e.Message.TrimEnd('.')}";
            if (words == _directoryError) return null;
            _directoryError = words;
            return Tell(words, e);
        }

        Take(entries);
        return first;
    }

    private Entry Look(string file, Entry? before, out (string Words, Exception Error)? problem)
    {
        problem = null;
        var stamp = before?.Stamp ?? default;
        try
        {
            stamp = Stamp.Of(file);
            if (before is not null && before.Stamp == stamp) return before;
            var certificate = CurveCertificate.Load(file);
            // Two files written in one tick of the clock look alike, so a fresh one is read again until it has aged.
            return new Entry(DateTime.UtcNow - stamp.Written < Aged ? default : stamp, certificate, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            var words = $"the certificate {file} cannot be used: {e.Message.TrimEnd('.')}";
            if (before?.Error != words) problem = Tell(words + (before?.Good is null ? "" : "; the key that it had stays"), e);
            // Without the stamp, so that it is tried again: what could not be opened may be readable without a change.
            return new Entry(e is FormatException ? stamp : default, before?.Good, words);
        }
    }

    private void Take(Dictionary<string, Entry> entries)
    {
        _entries = entries;
        var users = entries.Values.Where(entry => entry.Good is not null).Select(entry => entry.Good!)
            .DistinctBy(certificate => Z85.Encode(certificate.PublicKey), StringComparer.Ordinal)
            .ToFrozenDictionary(certificate => Z85.Encode(certificate.PublicKey), certificate => certificate.UserId, StringComparer.Ordinal);
        var isSame = users.Count == _users.Count && users.All(user => _users.TryGetValue(user.Key, out var known) && known == user.Value);
        if (isSame) return;
        Volatile.Write(ref _users, users);
        Report($"{users.Count} certificates of {_path} are in use", null);
    }

    private (string Words, Exception Error) Tell(string words, Exception error)
    {
        Report(words, error);
        return (words, error);
    }

    private void Report(string words, Exception? error)
    {
        try
        {
            _options.Report?.Invoke(words, error);
        }
        catch (Exception)
        {
            // The callback is the application's; on a timer's thread its exception would end the process.
            return;
        }
    }

    private static readonly TimeSpan Aged = TimeSpan.FromSeconds(2);

    private sealed record Entry(Stamp Stamp, CurveCertificate? Good, string? Error);

    /// <summary>What changes when a file does; behind links, that of the file at their end.</summary>
    private readonly record struct Stamp(string Target, long Length, DateTime Written)
    {
        public static Stamp Of(string path)
        {
            var file = (FileInfo)(File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path));
            return new Stamp(file.FullName, file.Length, file.LastWriteTimeUtc);
        }
    }
}
