using System.Diagnostics;
using System.Text.Json.Nodes;
using Gateway.CommandLine;
using Gateway.Tests.TestSupport;
using Zmtp.Authentication;
using Zmtp.Security;

namespace Gateway.Tests.CommandLine;

public class SecurityCommandTests
{
    [Fact]
    public async Task A_key_pair_is_printed_in_Z85()
    {
        var (code, output, _) = await RunAsync([]);
        var lines = output.TrimEnd().Split('\n');
        Assert.Equal((0, 2), (code, lines.Length));
        var secret = CurveKeyPair.ParseKey(lines[1]["secret-key: ".Length..]);
        Assert.Equal($"public-key: {Z85.Encode(CurveKeyPair.FromSecretKey(secret).PublicKey)}", lines[0]);
    }

    [Fact]
    public async Task A_key_pair_is_written_as_certificates_and_never_over_others()
    {
        using var directory = new TemporaryDirectory();
        var (code, output, _) = await RunAsync(["--out", directory.File("joe")]);
        var written = CurveCertificate.Load(directory.File("joe.key_secret"));
        Assert.Equal(0, code);
        Assert.DoesNotContain(Z85.Encode(written.SecretKey!), output, StringComparison.Ordinal);
        Assert.Equal(written.PublicKey, CurveCertificate.Load(directory.File("joe.key")).PublicKey);
        var (again, _, error) = await RunAsync([$"--out={directory.File("joe")}"]);
        Assert.Equal(1, again);
        Assert.Contains("joe.key exists already", error, StringComparison.Ordinal);
        Assert.Equal(written.SecretKey, CurveCertificate.Load(directory.File("joe.key_secret")).SecretKey);
    }

    [Theory]
    [InlineData("--out")]
    [InlineData("--out", "--force")]
    [InlineData("joe")]
    public async Task Anything_else_is_not_understood(params string[] arguments)
    {
        var (code, _, error) = await RunAsync(arguments);
        Assert.Equal(2, code);
        Assert.Contains("gateway curve-keypair --out NAME", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_is_hashed_and_an_empty_one_refused()
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        Assert.Equal(0, await GatewayCommand.RunAsync(["hash-password"], output, error, new StringReader("correct horse\n")));
        Assert.True(PasswordHash.TryParse(output.ToString().TrimEnd(), out var hash));
        Assert.True(hash.Matches("correct horse"u8));
        Assert.Equal(1, await GatewayCommand.RunAsync(["hash-password"], output, error, new StringReader("\n")));
    }

    [Fact]
    public async Task Without_libsodium_only_CURVE_is_missing_and_the_error_says_what_to_install()
    {
        using var directory = new TemporaryDirectory();
        var knobs = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Gateway.runtimeconfig.json")))!;
        (knobs["runtimeOptions"]!["configProperties"] ??= new JsonObject())["Zmtp.NoLibsodium"] = true;
        await File.WriteAllTextAsync(directory.File("without.json"), knobs.ToJsonString());
        await File.WriteAllTextAsync(directory.File("gateway.json"), Configuration("""{ "Mechanism": "CURVE", "ServerKey": "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7" }"""));
        await File.WriteAllTextAsync(directory.File("plain.json"), Configuration("""{ "Mechanism": "PLAIN", "UserName": "joe", "Password": "secret" }"""));

        var (pairCode, pairError) = await WithoutAsync(directory, "curve-keypair");
        Assert.Equal(1, pairCode);
        Assert.Contains("apt-get install libsodium23", pairError, StringComparison.Ordinal);
        var (curveCode, curveError) = await WithoutAsync(directory, "check", directory.File("gateway.json"));
        Assert.Equal(1, curveCode);
        Assert.StartsWith("Gateway:Backends:b:Security:Mechanism is \"CURVE\", which needs libsodium", curveError, StringComparison.Ordinal);
        var (plainCode, plainError) = await WithoutAsync(directory, "check", directory.File("plain.json"));
        Assert.Equal((0, ""), (plainCode, plainError));
    }

    private static string Configuration(string security) =>
        """{"Gateway":{"Backends":{"b":{"Socket":"SUB","Connect":["inproc://b"],"Security":SECURITY}},"Routes":{"r":{"Path":"/r","Backend":"b"}}}}"""
            .Replace("SECURITY", security, StringComparison.Ordinal);

    private static async Task<(int Code, string Error)> WithoutAsync(TemporaryDirectory directory, params string[] arguments)
    {
        string[] all = ["exec", "--runtimeconfig", directory.File("without.json"), Path.Combine(AppContext.BaseDirectory, "Gateway.dll"), .. arguments];
        using var process = Process.Start(new ProcessStartInfo("dotnet", all) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        await output;
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return (process.ExitCode, error);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await GatewayCommand.RunAsync(["curve-keypair", .. arguments], output, error);
        return (code, output.ToString(), error.ToString());
    }
}
