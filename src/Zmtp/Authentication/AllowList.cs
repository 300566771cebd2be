using System.Security.Cryptography;
using System.Text;
using Zmtp.Security;

namespace Zmtp.Authentication;

/// <summary>The built-in authenticator: lists of addresses, PLAIN users and CURVE keys. A peer has to pass the addresses and its mechanism's list.</summary>
/// <remarks>A change of the certificates decides about new connections; those that are open stay open.</remarks>
public sealed class AllowList : IAuthenticator, IDisposable
{
    private readonly AddressList _allow;
    private readonly AddressList _deny;
    private readonly bool _allowAny;
    private readonly byte[] _digestKey = RandomNumberGenerator.GetBytes(32);
    private readonly Dictionary<string, User> _users = new(StringComparer.Ordinal);
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly CertificateDirectory? _certificates;

    // Strangers decide how often a hash is computed; one core at most is theirs. Waiting counts into the handshake's time.
    private readonly SemaphoreSlim _hashing = new(1);
    private readonly User _nobody;

    /// <summary>Makes one of the options' present values.</summary>
    /// <exception cref="ArgumentException">An address, hash or key is none; the message names it, but no password.</exception>
    /// <exception cref="ZmtpException">The certificates cannot be read; the message names the file.</exception>
    public AllowList(AllowListOptions options)
    {
        (_allow, _deny, _allowAny) = (new AddressList(options.Allow), new AddressList(options.Deny), options.AllowAny);
        foreach (var (name, password) in options.Users) _users[name] = Read(name, password);
        // For a name that nobody has, the same work is done as for one that exists: the time tells nothing.
        _nobody = _users.Values.FirstOrDefault(user => user.Hash is not null) ?? new User(RandomNumberGenerator.GetBytes(32), null);
        foreach (var key in options.CurveKeys)
        {
            if (key.Length != Sodium.KeySize) throw new ArgumentException($"A CURVE key has {Sodium.KeySize} bytes, not {key.Length}.", nameof(options));
            _keys.Add(Z85.Encode(key));
        }

        if (options.CertificateDirectory is { } directory) _certificates = new CertificateDirectory(directory, options);
    }

    /// <summary>How many CURVE keys may come in now.</summary>
    public int CurveKeyCount => _keys.Count + (_certificates?.Count ?? 0);

    /// <summary>Whether a text may stand in <see cref="AllowListOptions.Allow"/>.</summary>
    public static bool IsAddress(string text) => AddressList.IsEntry(text);

    /// <inheritdoc/>
    public async ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken)
    {
        if (_deny.Contains(request.Address)) return Refuse("its address is denied");
        if (!_allow.IsEmpty && !_allow.Contains(request.Address)) return Refuse("its address is not on the list");
        return request.Mechanism switch
        {
            "NULL" => _allowAny || !_allow.IsEmpty ? new AuthenticationResult(200) : Refuse("no address is allowed"),
            "PLAIN" => await AuthenticatePlainAsync(request.Credentials[0], request.Credentials[1], cancellationToken),
            "CURVE" => AuthenticateCurve(Z85.Encode(request.Credentials[0])),
            _ => Refuse("its mechanism is not known"),
        };
    }

    /// <summary>Looks at the certificates no more.</summary>
    public void Dispose()
    {
        _certificates?.Dispose();
        _hashing.Dispose();
    }

    private static AuthenticationResult Refuse(string why) => new(400, "", why);

    private User Read(string name, string password)
    {
        if (!password.StartsWith(PasswordHash.Prefix, StringComparison.Ordinal)) return new User(Digest(Encoding.UTF8.GetBytes(password)), null);
        return PasswordHash.TryParse(password, out var hash) ? new User([], hash) : throw new ArgumentException($"The password of {name} begins like a hash and is none.", nameof(password));
    }

    private async ValueTask<AuthenticationResult> AuthenticatePlainAsync(byte[] name, byte[] password, CancellationToken cancellationToken)
    {
        var user = Encoding.UTF8.GetString(name);
        var isKnown = _users.TryGetValue(user, out var known);
        var isRight = await MatchesAsync(known ?? _nobody, password, cancellationToken);
        // Both are known before either is looked at.
        return isKnown & isRight ? new AuthenticationResult(200, user) : Refuse("unknown user or wrong password");
    }

    private async ValueTask<bool> MatchesAsync(User user, byte[] password, CancellationToken cancellationToken)
    {
        // Digests have one length, so that comparing them does not even tell the password's.
        if (user.Hash is not { } hash) return CryptographicOperations.FixedTimeEquals(Digest(password), user.Digest);
        await _hashing.WaitAsync(cancellationToken);
        try
        {
            return hash.Matches(password);
        }
        finally
        {
            _hashing.Release();
        }
    }

    private byte[] Digest(byte[] password) => HMACSHA256.HashData(_digestKey, password);

    /// <summary>A public key is no secret and the peer has proved to hold its other half, so that it is found by an ordinary look-up.</summary>
    private AuthenticationResult AuthenticateCurve(string key)
    {
        if (_certificates?.UserOf(key) is { } user) return new AuthenticationResult(200, user);
        return _allowAny || _keys.Contains(key) ? new AuthenticationResult(200, key) : Refuse($"its key {key} is not on the list");
    }

    private sealed record User(byte[] Digest, PasswordHash? Hash);
}
