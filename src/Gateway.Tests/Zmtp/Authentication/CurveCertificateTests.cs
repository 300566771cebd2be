using System.Diagnostics;
using System.Runtime.Versioning;
using Gateway.Tests.TestSupport;
using Zmtp.Authentication;
using Zmtp.Security;

namespace Gateway.Tests.Zmtp.Authentication;

public class CurveCertificateTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    [Fact]
    public async Task What_pyzmq_writes_is_read()
    {
        using var directory = new TemporaryDirectory();
        var keys = (await PythonAsync($"import zmq.auth; p,s = zmq.auth.create_certificates('{directory.Path}', 'joe', {{'user-id': 'joe', 'note': 'a = b'}}); print(*[k.decode() for k in zmq.auth.load_certificate(s)], sep='\\n')")).Split('\n');
        var secret = CurveCertificate.Load(directory.File("joe.key_secret"));
        Assert.Equal((keys[0], keys[1]), (Z85.Encode(secret.PublicKey), Z85.Encode(secret.SecretKey!)));
        Assert.Equal(("joe", "a = b"), (secret.UserId, secret.Metadata["note"]));
        var open = CurveCertificate.Load(directory.File("joe.key"));
        Assert.Equal(keys[0], Z85.Encode(open.PublicKey));
        Assert.Null(open.SecretKey);
    }

    [Fact]
    public async Task What_we_write_is_read_by_pyzmq()
    {
        using var directory = new TemporaryDirectory();
        var keys = CurveKeyPair.Generate();
        new CurveCertificate(keys.PublicKey, keys.SecretKey, new Dictionary<string, string>(StringComparer.Ordinal) { ["name"] = "joe" }).Save(directory.File("joe"), Now);
        var read = await PythonAsync($"import zmq.auth; print(*[k.decode() for k in zmq.auth.load_certificate('{directory.File("joe.key_secret")}')], sep='\\n'); print(*[k.decode() for k in zmq.auth.load_certificates('{directory.Path}')])");
        Assert.Equal($"{Z85.Encode(keys.PublicKey)}\n{Z85.Encode(keys.SecretKey)}\n{Z85.Encode(keys.PublicKey)}", read);
        Assert.Equal(keys.SecretKey, CurveCertificate.Load(directory.File("joe.key_secret")).SecretKey);
        Assert.Equal("joe", CurveCertificate.Load(directory.File("joe.key_secret")).Metadata["name"]);
        Assert.Null(CurveCertificate.Load(directory.File("joe.key")).SecretKey);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void A_secret_is_its_owners_alone_and_no_file_is_overwritten()
    {
        using var directory = new TemporaryDirectory();
        var keys = CurveKeyPair.Generate();
        var certificate = new CurveCertificate(keys.PublicKey, keys.SecretKey);
        certificate.Save(directory.File("joe"), Now);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(directory.File("joe.key_secret")));
        var other = CurveKeyPair.Generate();
        Assert.Contains("joe.key exists already", Assert.Throws<IOException>(() => new CurveCertificate(other.PublicKey, other.SecretKey).Save(directory.File("joe"), Now)).Message, StringComparison.Ordinal);
        File.Delete(directory.File("joe.key"));
        Assert.Contains("joe.key_secret exists already", Assert.Throws<IOException>(() => new CurveCertificate(other.PublicKey, other.SecretKey).Save(directory.File("joe"), Now)).Message, StringComparison.Ordinal);
        Assert.Equal(keys.SecretKey, CurveCertificate.Load(directory.File("joe.key_secret")).SecretKey);
    }

    [Theory]
    [InlineData("", "no public-key")]
    [InlineData("curve\n    secret-key = \"SECRET\"", "line 2: secret-key")]
    [InlineData("curve\n    public-key = \"SECRET\"", "line 2: public-key")]
    [InlineData("metadata\n    public-key = \"PUBLIC\"", "no public-key")]
    [InlineData("curve\n    public-key = \"PUBLIC\"\n    secret-key = \"OTHER\"", "not that of its secret-key")]
    public void What_is_wrong_is_said_without_a_key(string text, string words)
    {
        var (keys, other) = (CurveKeyPair.Generate(), CurveKeyPair.Generate());
        var written = text.Replace("PUBLIC", Z85.Encode(keys.PublicKey), StringComparison.Ordinal).Replace("OTHER", Z85.Encode(other.SecretKey), StringComparison.Ordinal);
        var message = Assert.Throws<FormatException>(() => CurveCertificate.Parse(written)).Message;
        Assert.Contains(words, message, StringComparison.Ordinal);
        Assert.DoesNotContain(Z85.Encode(other.SecretKey), message, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_that_begin_like_comments_or_hold_quotes_of_the_format_are_read()
    {
        // '#' and '=' are letters of Z85.
        var key = Enumerable.Range(0, 10_000).Select(i => Z85.Encode([.. BitConverter.GetBytes(i), .. new byte[28]])).First(text => text.Contains('#') && text.Contains('='));
        Assert.Equal(key, Z85.Encode(CurveCertificate.Parse($"# a comment\r\ncurve\r\n    public-key = '{key}'\r\n").PublicKey));
        Assert.Equal(key, Z85.Encode(CurveCertificate.Parse($"curve\n\tpublic-key={key}").PublicKey));
    }

    [Fact]
    public void Neither_a_certificate_nor_a_pair_prints_its_secret()
    {
        var keys = CurveKeyPair.Generate();
        Assert.DoesNotContain(Z85.Encode(keys.SecretKey), $"{keys} {new CurveCertificate(keys.PublicKey, keys.SecretKey)}", StringComparison.Ordinal);
    }

    private static async Task<string> PythonAsync(string script)
    {
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", script]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(30));
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, process.ExitCode);
        return output.Trim();
    }
}
