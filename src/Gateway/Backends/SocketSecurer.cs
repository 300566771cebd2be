using Gateway.Configuration;
using Zmtp;
using Zmtp.Authentication;

namespace Gateway.Backends;

/// <summary>Gives sockets the security that their configuration asks for, and keeps the lists of who may come in until shutdown.</summary>
internal sealed partial class SocketSecurer(ILoggerFactory loggers, TimeProvider time) : IDisposable
{
    private readonly ILogger _logger = loggers.CreateLogger("Gateway.Backends");
    private readonly Lock _gate = new();
    private readonly List<AllowList> _lists = [];

    /// <summary>Secures a socket before it is made.</summary>
    /// <param name="path">Where the options stand, such as <c>Gateway:Backends:jobs:Security</c>.</param>
    /// <exception cref="ConfigurationException">A file has changed since the configuration was checked.</exception>
    public void Secure(ZmtpOptions socket, SecurityOptions options, string path)
    {
        var problems = new List<ConfigurationProblem>();
        var security = SecurityReader.Read(path, options, problems);
        if (problems.Count > 0) throw new ConfigurationException([.. problems.Select(problem => problem.ToString())]);
        socket.ZapDomain = security.ZapDomain;
        if (security is { Mechanism: "PLAIN", IsServer: false }) (socket.PlainUserName, socket.PlainPassword) = (security.UserName, security.Password);
        socket.PlainServer = security is { Mechanism: "PLAIN", IsServer: true };
        socket.CurveServer = security is { Mechanism: "CURVE", IsServer: true };
        (socket.CurveKeys, socket.CurveServerKey) = (security.Keys, security.ServerKey);
        if (security.AllowList is { } list) socket.Authenticator = Keep(list, path);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var list in _lists) list.Dispose();
            _lists.Clear();
        }
    }

    private AllowList Keep(AllowListOptions options, string path)
    {
        options.Time = time;
        options.Report = (words, error) =>
        {
            // What stands below Security is not shown, and that is a directory's name too.
            if (options.CertificateDirectory is { Length: > 0 } directory)
                words = words.Replace(Path.GetFullPath(directory), "CertificateDirectory", StringComparison.Ordinal);
            if (error is null) CertificatesRead(_logger, path, words);
            else CertificatesNotRead(_logger, path, words);
        };
        var list = new AllowList(options);
        lock (_gate) _lists.Add(list);
        return list;
    }

    [LoggerMessage(2020, LogLevel.Information, "{Path}: {What}")]
    private static partial void CertificatesRead(ILogger logger, string path, string what);

    [LoggerMessage(2021, LogLevel.Warning, "{Path}: {What}")]
    private static partial void CertificatesNotRead(ILogger logger, string path, string what);
}
