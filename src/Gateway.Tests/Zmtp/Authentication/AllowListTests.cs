using System.Text;
using System.Threading.Channels;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Authentication;
using Zmtp.Security;

namespace Gateway.Tests.Zmtp.Authentication;

public class AllowListTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;
    private readonly ManualTimeProvider _time = new();
    private readonly Channel<(string Words, Exception? Error)> _reports = Channel.CreateUnbounded<(string, Exception?)>();

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("192.0.2.7", "192.0.2.70", false)]
    [InlineData("10.0.0.0/8", "10.255.0.1", true)]
    [InlineData("10.0.0.0/8", "11.0.0.1", false)]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7", true)]
    [InlineData("192.0.2.7", "::ffff:192.0.2.7", true)]
    [InlineData("2001:db8::/32", "2001:db8:ffff::1", true)]
    [InlineData("fe80::1", "fe80::1%2", true)]
    [InlineData("0.0.0.0/0", "::1", false)]
    [InlineData("0.0.0.0/0", "localhost:0:0:1", false)]
    [InlineData("ipc", "localhost:1000:1000:77", true)]
    [InlineData("ipc", "localhost", true)]
    [InlineData("ipc", "127.0.0.1", false)]
    [InlineData("uid:1000", "localhost:1000:5:77", true)]
    [InlineData("uid:1000", "localhost:5:1000:1000", false)]
    [InlineData("uid:1000", "localhost", false)]
    public async Task An_entry_stands_for_its_addresses(string entry, string address, bool expected)
    {
        using var allowing = new AllowList(new AllowListOptions { Allow = [entry] });
        Assert.Equal(expected ? 200 : 400, (await AskAsync(allowing, "NULL", address)).Status);
        using var denying = new AllowList(new AllowListOptions { Deny = [entry], AllowAny = true });
        Assert.Equal(expected ? 400 : 200, (await AskAsync(denying, "NULL", address)).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("10.1")]
    [InlineData("10.0.0.0/33")]
    [InlineData("example.com")]
    [InlineData("uid:")]
    [InlineData("uid:-1")]
    [InlineData("uid:root")]
    public void What_is_no_entry_is_named(string entry) =>
        Assert.Contains($"\"{entry}\"", Assert.Throws<ArgumentException>(() => new AllowList(new AllowListOptions { Allow = [entry] })).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Denied_wins_over_allowed_and_over_what_the_peer_proves()
    {
        using var list = new AllowList(new AllowListOptions { Allow = ["10.0.0.0/8"], Deny = ["10.6.6.6"], Users = Users(("joe", "secret")) });
        Assert.Equal(200, (await PlainAsync(list, "joe", "secret", "10.0.0.1")).Status);
        Assert.Equal(400, (await PlainAsync(list, "joe", "secret", "10.6.6.6")).Status);
        Assert.Equal(400, (await PlainAsync(list, "joe", "secret", "192.0.2.1")).Status);
    }

    [Fact]
    public async Task Nobody_comes_in_when_nobody_is_named()
    {
        using var list = new AllowList(new AllowListOptions());
        Assert.Equal(400, (await AskAsync(list, "NULL", "127.0.0.1")).Status);
        Assert.Equal(400, (await PlainAsync(list, "", "")).Status);
        Assert.Equal(400, (await CurveAsync(list, new byte[32])).Status);
    }

    [Fact]
    public async Task Any_key_may_come_in_when_that_is_said_but_not_any_password()
    {
        using var list = new AllowList(new AllowListOptions { AllowAny = true, Users = Users(("joe", "secret")) });
        var key = CurveKeyPair.Generate().PublicKey;
        Assert.Equal(new AuthenticationResult(200, Z85.Encode(key)), await CurveAsync(list, key));
        Assert.Equal(400, (await PlainAsync(list, "joe", "guess")).Status);
    }

    [Theory]
    [InlineData("joe", "secret", true)]
    [InlineData("jane", "hashed", true)]
    [InlineData("joe", "Secret", false)]
    [InlineData("joe", "secret ", false)]
    [InlineData("joe", "", false)]
    [InlineData("joe", "hashed", false)]
    [InlineData("jane", "secret", false)]
    [InlineData("JOE", "secret", false)]
    [InlineData("nobody", "hashed", false)]
    public async Task A_password_is_its_users_own(string user, string password, bool expected)
    {
        using var list = new AllowList(new AllowListOptions { Users = Users(("joe", "secret"), ("jane", PasswordHash.Of("hashed", 1_000).ToString())) });
        var result = await PlainAsync(list, user, password);
        Assert.Equal((expected ? 200 : 400, expected ? user : ""), (result.Status, result.UserId));
        // Which of the two was wrong is nobody's business.
        Assert.Equal(expected ? "" : "unknown user or wrong password", result.Text);
    }

    [Theory] // PBKDF2-HMAC-SHA256 of "password" and "salt", as published with RFC 7914.
    [InlineData("$pbkdf2-sha256$1$c2FsdA$Eg.2z/z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs", true)]
    [InlineData("$pbkdf2-sha256$1$c2FsdA$Fg.2z/z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs", false)]
    [InlineData("$pbkdf2-sha256$2$c2FsdA$Eg.2z/z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs", false)]
    public void A_hash_is_read_as_passlib_writes_it(string text, bool matches)
    {
        Assert.True(PasswordHash.TryParse(text, out var hash));
        Assert.Equal(matches, hash.Matches("password"u8));
    }

    [Theory]
    [InlineData("$pbkdf2-sha256$0$c2FsdA$Eg.2z/z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs")]
    [InlineData("$pbkdf2-sha256$10000001$c2FsdA$Eg.2z/z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs")]
    [InlineData("$pbkdf2-sha256$1$c2FsdA$Eg.2z")]
    [InlineData("$pbkdf2-sha256$1$*$Eg.2z/z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs")]
    [InlineData("$pbkdf2-sha256$1$c2FsdA")]
    [InlineData("$pbkdf2-sha256$secret")]
    public void What_begins_like_a_hash_and_is_none_is_refused_without_saying_it_again(string text)
    {
        Assert.False(PasswordHash.TryParse(text, out _));
        var message = Assert.Throws<ArgumentException>(() => new AllowList(new AllowListOptions { Users = Users(("joe", text)) })).Message;
        Assert.Contains("joe", message, StringComparison.Ordinal);
        Assert.DoesNotContain(text[15..], message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_found_in_the_options_and_in_the_directory()
    {
        using var directory = new TemporaryDirectory();
        var (given, filed, named) = (CurveKeyPair.Generate(), CurveKeyPair.Generate(), CurveKeyPair.Generate());
        Write(directory, "filed", filed);
        Write(directory, "named", named, "jane");
        using var list = new AllowList(new AllowListOptions { CurveKeys = [given.PublicKey], CertificateDirectory = directory.Path });
        Assert.Equal(3, list.CurveKeyCount);
        Assert.Equal(Z85.Encode(given.PublicKey), (await CurveAsync(list, given.PublicKey)).UserId);
        Assert.Equal(Z85.Encode(filed.PublicKey), (await CurveAsync(list, filed.PublicKey)).UserId);
        Assert.Equal("jane", (await CurveAsync(list, named.PublicKey)).UserId);
        Assert.Equal(400, (await CurveAsync(list, CurveKeyPair.Generate().PublicKey)).Status);
    }

    [Fact]
    public async Task Certificates_come_go_and_change_while_it_runs()
    {
        using var directory = new TemporaryDirectory();
        var (first, second, third) = (CurveKeyPair.Generate(), CurveKeyPair.Generate(), CurveKeyPair.Generate());
        Write(directory, "a", first);
        using var list = Watch(directory);
        Write(directory, "b", second);
        Look();
        Assert.Equal(200, (await CurveAsync(list, second.PublicKey)).Status);
        Write(directory, "a", third, "changed");
        Look();
        Assert.Equal((400, 200), ((await CurveAsync(list, first.PublicKey)).Status, (await CurveAsync(list, third.PublicKey)).Status));
        File.Delete(directory.File("b.key"));
        Look();
        Assert.Equal(400, (await CurveAsync(list, second.PublicKey)).Status);
    }

    [Fact]
    public async Task A_broken_file_keeps_its_own_last_key_and_nobody_elses_and_is_reported_once()
    {
        using var directory = new TemporaryDirectory();
        var (broken, removed) = (CurveKeyPair.Generate(), CurveKeyPair.Generate());
        Write(directory, "broken", broken);
        Write(directory, "removed", removed);
        using var list = Watch(directory);
        Drain();
        await File.WriteAllTextAsync(directory.File("broken.key"), "curve\n    public-key = \"too short\"\n");
        File.Delete(directory.File("removed.key"));
        Look();
        Look();
        Assert.Equal((200, 400), ((await CurveAsync(list, broken.PublicKey)).Status, (await CurveAsync(list, removed.PublicKey)).Status));
        var reports = Drain();
        var (words, _) = Assert.Single(reports, report => report.Error is not null);
        Assert.Contains("broken.key cannot be used: line 2: public-key is not 40 characters of Z85; the key that it had stays", words, StringComparison.Ordinal);
        Write(directory, "broken", removed);
        Look();
        Assert.Equal((400, 200), ((await CurveAsync(list, broken.PublicKey)).Status, (await CurveAsync(list, removed.PublicKey)).Status));
    }

    [Fact]
    public async Task When_the_directory_is_gone_the_last_keys_stay_until_it_is_back()
    {
        using var parent = new TemporaryDirectory();
        var path = parent.File("keys");
        Directory.CreateDirectory(path);
        var (before, after) = (CurveKeyPair.Generate(), CurveKeyPair.Generate());
        new CurveCertificate(before.PublicKey, before.SecretKey).Save(Path.Combine(path, "a"), Now);
        using var list = new AllowList(new AllowListOptions { CertificateDirectory = path, Time = _time, Report = Tell });
        Drain();
        Directory.Delete(path, recursive: true);
        Look();
        Look();
        Assert.Equal(200, (await CurveAsync(list, before.PublicKey)).Status);
        Assert.Contains("cannot be read", Assert.Single(Drain()).Words, StringComparison.Ordinal);
        Directory.CreateDirectory(path);
        new CurveCertificate(after.PublicKey, after.SecretKey).Save(Path.Combine(path, "a"), Now);
        Look();
        Assert.Equal((400, 200), ((await CurveAsync(list, before.PublicKey)).Status, (await CurveAsync(list, after.PublicKey)).Status));
    }

    [Fact]
    public async Task Files_behind_a_link_that_is_turned_are_read_again()
    {
        // So a mounted Kubernetes secret changes: joe.key -> ..data/joe.key, and ..data is turned.
        using var directory = new TemporaryDirectory();
        var (before, after) = (CurveKeyPair.Generate(), CurveKeyPair.Generate());
        foreach (var (version, keys) in new[] { ("1", before), ("2", after) })
        {
            Directory.CreateDirectory(directory.File(version));
            await File.WriteAllTextAsync(Path.Combine(directory.File(version), "joe.key"), new CurveCertificate(keys.PublicKey).ToPublicText(Now));
        }

        Directory.CreateSymbolicLink(directory.File("data"), directory.File("1"));
        File.CreateSymbolicLink(directory.File("joe.key"), Path.Combine(directory.File("data"), "joe.key"));
        using var list = Watch(directory);
        Directory.CreateSymbolicLink(directory.File("next"), directory.File("2"));
        File.Delete(directory.File("data"));
        Directory.Move(directory.File("next"), directory.File("data"));
        Look();
        Assert.Equal((400, 200), ((await CurveAsync(list, before.PublicKey)).Status, (await CurveAsync(list, after.PublicKey)).Status));
    }

    [Fact]
    public async Task A_report_that_throws_neither_ends_the_timers_thread_nor_keeps_a_key_out()
    {
        using var directory = new TemporaryDirectory();
        using var list = new AllowList(
            new AllowListOptions { CertificateDirectory = directory.Path, Time = _time, Report = (_, _) =>
            throw new InvalidOperationException("broken") });
        var keys = CurveKeyPair.Generate();
        Write(directory, "bad", keys);
        await File.WriteAllTextAsync(directory.File("bad.key"), "nonsense");
        Look();
        Write(directory, "joe", keys);
        Look();
        Assert.Equal(200, (await CurveAsync(list, keys.PublicKey)).Status);
    }

    [Fact]
    public async Task The_systems_notice_of_a_change_does_not_wait_for_the_next_look()
    {
        using var directory = new TemporaryDirectory();
        using var list = new AllowList(new AllowListOptions { CertificateDirectory = directory.Path, CheckInterval = TimeSpan.FromHours(1), Report = Tell });
        var keys = CurveKeyPair.Generate();
        Write(directory, "joe", keys);
        Assert.StartsWith("1 certificates", (await _reports.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20))).Words, StringComparison.Ordinal);
        Assert.Equal(200, (await CurveAsync(list, keys.PublicKey)).Status);
    }

    [Theory]
    [InlineData(null, "keys cannot be read")]
    [InlineData("nonsense", "joe.key cannot be used: it has no public-key in a section curve")]
    public void What_cannot_be_read_at_the_start_is_an_error(string? content, string words)
    {
        using var parent = new TemporaryDirectory();
        var path = parent.File("keys");
        if (content is not null)
        {
            Directory.CreateDirectory(path);
            File.WriteAllText(Path.Combine(path, "joe.key"), content);
        }

        Assert.Contains(words, Assert.Throws<ZmtpException>(() => new AllowList(new AllowListOptions { CertificateDirectory = path })).Message, StringComparison.Ordinal);
    }

    private AllowList Watch(TemporaryDirectory directory) => new(new AllowListOptions { CertificateDirectory = directory.Path, Time = _time, Report = Tell });

    private void Look() => _time.Advance(TimeSpan.FromSeconds(10));

    private void Tell(string words, Exception? error) => _reports.Writer.TryWrite((words, error));

    private List<(string Words, Exception? Error)> Drain()
    {
        var all = new List<(string, Exception?)>();
        while (_reports.Reader.TryRead(out var report)) all.Add(report);
        return all;
    }

    private static void Write(TemporaryDirectory directory, string name, CurveKeyPair keys, string? user = null) => File.WriteAllText(
        directory.File($"{name}.key"),
        new CurveCertificate(keys.PublicKey, null, user is null ? null : Users(("user-id", user))).ToPublicText(Now));

    private static Dictionary<string, string> Users(params (string Name, string Password)[] users) => users.ToDictionary(user => user.Name, user => user.Password, StringComparer.Ordinal);

    private static ValueTask<AuthenticationResult> PlainAsync(AllowList list, string user, string password, string address = "127.0.0.1") =>
        AskAsync(list, "PLAIN", address, Encoding.UTF8.GetBytes(user), Encoding.UTF8.GetBytes(password));

    private static ValueTask<AuthenticationResult> CurveAsync(AllowList list, byte[] key) => AskAsync(list, "CURVE", "127.0.0.1", key);

    private static ValueTask<AuthenticationResult> AskAsync(AllowList list, string mechanism, string address, params byte[][] credentials) =>
        list.AuthenticateAsync(new AuthenticationRequest(mechanism, "", address, [], credentials), default);
}
