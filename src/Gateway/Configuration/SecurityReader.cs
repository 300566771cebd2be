using System.Text;
using Zmtp;
using Zmtp.Authentication;
using Zmtp.Security;

namespace Gateway.Configuration;

/// <summary>Reads <see cref="SecurityOptions"/>, their files included, and says everything that is wrong with them. No text holds a secret.</summary>
internal sealed class SecurityReader
{
    /// <summary>What an address may be.</summary>
    public const string AddressRule = "an IP address, a network such as 10.0.0.0/8, ipc, or uid:NUMBER";

    private const string KeyRule = "40 characters of Z85, as gateway curve-keypair prints them";
    private const int MaxBytes = byte.MaxValue;
    private const int MaxSecretFile = 64 * 1024;
    private readonly string _path;
    private readonly SecurityOptions _options;
    private readonly List<ConfigurationProblem> _problems;
    private readonly bool _isServer;
    private readonly bool _isPlain;
    private readonly bool _isCurve;

    private SecurityReader(string path, SecurityOptions options, List<ConfigurationProblem> problems)
    {
        (_path, _options, _problems) = (path, options, problems);
        (_isPlain, _isCurve) = (options.Mechanism.Equals("PLAIN", StringComparison.OrdinalIgnoreCase), options.Mechanism.Equals("CURVE", StringComparison.OrdinalIgnoreCase));
        _isServer = options.Role.Equals("Server", StringComparison.OrdinalIgnoreCase);
    }

    private string What => _isPlain || _isCurve ? $"a {(_isPlain ? "PLAIN" : "CURVE")} {(_isServer ? "server" : "client")}" : "Mechanism NULL";

    private bool HasLists => _options.Allow.Count + _options.Deny.Count > 0 || _options.AllowAny;

    /// <summary>Reads them.</summary>
    /// <param name="path">Where they stand, such as <c>Gateway:Backends:jobs:Security</c>.</param>
    /// <param name="problems">Gets what is wrong; the result may be used only when nothing was added.</param>
    public static SocketSecurity Read(string path, SecurityOptions options, List<ConfigurationProblem> problems) => new SecurityReader(path, options, problems).Read();

    private SocketSecurity Read()
    {
        CheckApplies();
        Demand(Encoding.UTF8.GetByteCount(_options.ZapDomain) <= MaxBytes, "ZapDomain", _options.ZapDomain, $"up to {MaxBytes} bytes");
        var (password, serverKey) = ("", (byte[]?)null);
        var keys = _isCurve ? ReadOurKeys() : null;
        if (_isPlain && !_isServer) password = ReadClientPassword();
        if (_isCurve && !_isServer) serverKey = ReadServerKey();
        var isNull = !_isPlain && !_isCurve;
        var list = _isServer || (isNull && HasLists) ? ReadAllowList() : null;
        var domain = isNull && list is not null && _options.ZapDomain.Length == 0 ? "global" : _options.ZapDomain;
        return new SocketSecurity(_isPlain ? "PLAIN" : _isCurve ? "CURVE" : "NULL", _isServer, _options.UserName, password, keys, serverKey, list, domain);
    }

    private void CheckApplies()
    {
        var isNull = !_isPlain && !_isCurve;
        var isPlainClient = _isPlain && !_isServer;
        Applies(_options.UserName is not null, isPlainClient, "UserName");
        Applies(_options.Password is not null, isPlainClient, "Password");
        Applies(_options.PasswordFile is not null, isPlainClient, "PasswordFile");
        Applies(_options.Users.Count > 0, _isPlain && _isServer, "Users");
        Applies(_options.SecretKey is not null, _isCurve, "SecretKey");
        Applies(_options.SecretKeyFile is not null, _isCurve, "SecretKeyFile");
        Applies(_options.ServerKey is not null, _isCurve && !_isServer, "ServerKey");
        Applies(_options.ServerKeyFile is not null, _isCurve && !_isServer, "ServerKeyFile");
        Applies(_options.Keys.Count > 0, _isCurve && _isServer, "Keys");
        Applies(_options.CertificateDirectory is not null, _isCurve && _isServer, "CertificateDirectory");
        Applies(_options.AllowAny, isNull || (_isCurve && _isServer), "AllowAny");
        Applies(_options.Allow.Count > 0, isNull || _isServer, "Allow");
        Applies(_options.Deny.Count > 0, isNull || _isServer, "Deny");
        if (isNull && _isServer) _problems.Add(new($"{_path}:Role", "does not apply to Mechanism NULL, which has no roles; leave it out, or choose PLAIN or CURVE."));
    }

    private void Applies(bool isGiven, bool applies, string name)
    {
        if (isGiven && !applies) _problems.Add(new($"{_path}:{name}", $"does not apply to {What}; leave it out."));
    }

    private string ReadClientPassword()
    {
        if (string.IsNullOrEmpty(_options.UserName)) _problems.Add(ConfigurationProblem.Missing($"{_path}:UserName", "the name that the server knows"));
        else Demand(Encoding.UTF8.GetByteCount(_options.UserName) <= MaxBytes, "UserName", _options.UserName, $"up to {MaxBytes} bytes");
        return ReadSecret(_path, "Password", _options.Password, _options.PasswordFile) ?? "";
    }

    private CurveKeyPair? ReadOurKeys()
    {
        if (CurveKeyPair.WhyUnavailable is { } why)
        {
            _problems.Add(new($"{_path}:Mechanism", $"is \"CURVE\", which {why}; allowed until then: NULL or PLAIN."));
            return null;
        }

        if (_options.SecretKey is null && _options.SecretKeyFile is null && !_isServer) return CurveKeyPair.Generate();
        var (key, text) = ReadKey("SecretKey", _options.SecretKey, _options.SecretKeyFile, isSecret: true);
        if (key is null && text is not null) _problems.Add(new($"{_path}:{NameOf("SecretKey", _options.SecretKey)}", $"is no secret key; allowed: {KeyRule}."));
        return key is null ? null : CurveKeyPair.FromSecretKey(key);
    }

    private byte[]? ReadServerKey()
    {
        var (key, text) = ReadKey("ServerKey", _options.ServerKey, _options.ServerKeyFile, isSecret: false);
        if (key is null && text is not null) _problems.Add(ConfigurationProblem.NotAllowed($"{_path}:{NameOf("ServerKey", _options.ServerKey)}", _options.ServerKey ?? _options.ServerKeyFile, KeyRule));
        return key;
    }

    private static string NameOf(string name, string? value) => value is null ? $"{name}File" : name;

    /// <returns>The key, or null; the text that was read, or null when there was none and that has been said.</returns>
    private (byte[]? Key, string? Text) ReadKey(string name, string? value, string? file, bool isSecret)
    {
        var text = OneOf(_path, name, value, file) ? value ?? ReadFile($"{_path}:{name}File", file!) : null;
        if (text is null) return (null, null);
        if (value is not null || !text.Contains('\n', StringComparison.Ordinal) || text.Trim().Length == 40) return (Z85.TryDecode(text.Trim(), out var key) && key.Length == 32 ? key : null, text);
        try
        {
            var certificate = CurveCertificate.Parse(text);
            if (!isSecret) return (certificate.PublicKey, text);
            if (certificate.SecretKey is not null) return (certificate.SecretKey, text);
            _problems.Add(ConfigurationProblem.File($"{_path}:{name}File", "is a public certificate", "the file NAME.key_secret"));
        }
        catch (FormatException e)
        {
            _problems.Add(ConfigurationProblem.File($"{_path}:{name}File", $"is no certificate ({e.Message})",
                $"a certificate, or {KeyRule}"));
        }

        return (null, null);
    }

    private AllowListOptions ReadAllowList()
    {
        CheckAddresses("Allow", _options.Allow);
        CheckAddresses("Deny", _options.Deny);
        var list = new AllowListOptions { Allow = _options.Allow, Deny = _options.Deny, AllowAny = _options.AllowAny, CertificateDirectory = _options.CertificateDirectory };
        var users = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, user) in _options.Users) users[name] = ReadUser(name, user);
        var keys = new List<byte[]>();
        for (var at = 0; at < _options.Keys.Count; at++)
        {
            var isKey = Z85.TryDecode(_options.Keys[at], out var key) && key.Length == 32;
            Demand(isKey, $"Keys:{at}", _options.Keys[at], KeyRule);
            if (isKey) keys.Add(key!);
        }

        (list.Users, list.CurveKeys) = (users, keys);
        CheckCertificates();
        CheckSomebody();
        return list;
    }

    private string ReadUser(string name, SecurityUserOptions user)
    {
        var path = $"{_path}:Users:{name}";
        var password = ReadSecret(path, "Password", user.Password, user.PasswordFile);
        if (password is not null && password.StartsWith(PasswordHash.Prefix, StringComparison.Ordinal) && !PasswordHash.TryParse(password, out _))
            _problems.Add(new($"{path}:{NameOf("Password", user.Password)}", "begins like a hash and is none; allowed: a password, or what gateway hash-password prints."));
        return password ?? "";
    }

    private void CheckAddresses(string name, List<string> entries)
    {
        for (var at = 0; at < entries.Count; at++) Demand(AllowList.IsAddress(entries[at]), $"{name}:{at}", entries[at], AddressRule);
    }

    private void CheckCertificates()
    {
        if (_options.CertificateDirectory is not { } directory) return;
        try
        {
            using var list = new AllowList(new AllowListOptions { CertificateDirectory = directory });
        }
        catch (Exception e) when (e is ZmtpException or ArgumentException)
        {
            _problems.Add(new($"{_path}:CertificateDirectory",
                $"names a directory that {Secrets.WhyUnreadable(e.InnerException ?? e)}; allowed: a directory of certificates."));
        }
    }

    private void CheckSomebody()
    {
        var (somebody, how) = _isPlain
            ? (_options.Users.Count > 0, "Users")
            : _isCurve
                ? (_options.Keys.Count > 0 || _options.CertificateDirectory is not null || _options.AllowAny, "Keys or CertificateDirectory, or AllowAny: true for every key")
                : (_options.Allow.Count > 0 || _options.AllowAny, "Allow, or AllowAny: true for every address that Deny does not name");
        if (!somebody) _problems.Add(new(_path, $"lets nobody in; allowed for {What}: {how}."));
        if (!_options.AllowAny) return;
        var named = _options.Keys.Count > 0 ? "Keys" : _options.CertificateDirectory is not null ? "CertificateDirectory" : !_isCurve && _options.Allow.Count > 0 ? "Allow" : null;
        if (named is not null) _problems.Add(new($"{_path}:AllowAny", $"is true, and {named} says who; allowed: one of the two."));
    }

    private string? ReadSecret(string path, string name, string? value, string? file)
    {
        if (!OneOf(path, name, value, file)) return null;
        var text = value ?? ReadFile($"{path}:{name}File", file!)?.Split('\n')[0].TrimEnd('\r');
        if (text is null || Encoding.UTF8.GetByteCount(text) <= MaxBytes) return text;
        _problems.Add(new($"{path}:{NameOf(name, value)}", $"is too long; allowed: up to {MaxBytes} bytes."));
        return null;
    }

    private bool OneOf(string path, string name, string? value, string? file)
    {
        if (value is not null && file is not null) _problems.Add(new($"{path}:{name}File", $"stands beside {name}; allowed: one of the two."));
        else if (value is null && file is null) _problems.Add(new($"{path}:{name}", $"is missing; allowed: {name} or {name}File."));
        return value is null != file is null;
    }

    private string? ReadFile(string path, string file)
    {
        try
        {
            if (new FileInfo(file) is { Exists: true, Length: > MaxSecretFile }) _problems.Add(ConfigurationProblem.NotAllowed(path, file, $"a file of up to {MaxSecretFile} bytes"));
            else return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            _problems.Add(ConfigurationProblem.File(path, Secrets.WhyUnreadable(e), "a readable file"));
        }

        return null;
    }

    private void Demand(bool holds, string name, object? value, string allowed)
    {
        if (!holds) _problems.Add(ConfigurationProblem.NotAllowed($"{_path}:{name}", value, allowed));
    }
}
