using System.Text.Json.Nodes;
using Gateway.CommandLine;
using Gateway.Configuration;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Configuration;

/// <summary>Plants a word in every setting, right or wrong, and looks for it in everything that the gateway prints.</summary>
public sealed class SecretsTests : IDisposable
{
    private const string Word = "hunter2xyz";
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task No_value_that_is_secret_is_printed_however_wrong_it_is()
    {
        string[] settings = [.. Settings(typeof(GatewayOptions), "Gateway")];
        Assert.Contains("Gateway:Backends:x:Security:Users:x:Password", settings);
        Assert.Contains("Gateway:Devices:x:Monitor:Tls:KeyFile", settings);
        Assert.Contains("Gateway:Routes:x:Zws:Security:SecretKey", settings);
        Assert.Contains("Gateway:Backends:x:Options:SocksPassword", settings);
        var leaks = new List<string>();
        foreach (var path in settings.Where(Secrets.IsSecret))
        {
            foreach (var value in (string[])[Word, $"{Word}\n", Word + new string('z', 300), $"$pbkdf2-sha256${Word}", SecretFile(),
                _directory.Path + "/" + Word])
            {
                foreach (var context in Contexts(path)) leaks.AddRange(
                    await PrintedAsync([.. context.Where(setting => setting.Path != path), (path, value)]));
            }
        }

        Assert.Empty(leaks.Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_text_where_a_group_belongs_and_a_group_where_a_text_belongs_are_not_printed()
    {
        var leaks = new List<string>();
        foreach (var path in Settings(typeof(GatewayOptions), "Gateway").Where(Secrets.IsSecret))
        {
            for (var above = path; Secrets.IsSecret(above); above = above[..above.LastIndexOf(':')]) leaks.AddRange(
                await PrintedAsync([(above, Word)]));
            leaks.AddRange(await PrintedAsync([($"{path}:0:1", Word)]));
        }

        Assert.Empty(leaks.Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_user_in_front_of_a_host_is_not_printed_wherever_it_stands()
    {
        var leaks = new List<string>();
        foreach (var path in Settings(typeof(GatewayOptions), "Gateway"))
        {
            foreach (var value in (string[])[$"tcp://joe:{Word}@host:5555", $"wss://{Word}@host/x",
                $"joe:{Word}/a@host:1080"]) leaks.AddRange(await PrintedAsync([(path, value)]));
        }

        foreach (var url in (string[])[$"http://joe:{Word}@127.0.0.1:x", $"http://joe:{Word}@192.0.2.1:9999"])
        {
            leaks.AddRange(Leaks(await RunAsync($"--urls={url}", $"--config={Write("valid.json", Valid)}")));
        }

        Assert.Empty(leaks.Distinct(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("a.yaml", $"Gateway: {{ Backends: {{ b: {{ Security: {{ Password: *{Word} }} }} }} }}")]
    [InlineData("a.yaml", $"Gateway: {{ Backends: {{ b: {{ Security: {{ Users: {{ {Word}: 1, {Word}: 2 }} }} }} }} }}")]
    [InlineData("a.yaml", $"Gateway:\n  Backends:\n    b:\n      Security:\n        Password: '{Word}\n")]
    [InlineData("a.json", """{"Gateway":{"Backends":{"b":{"Security":{"Password": """ + Word + "}}}}}")]
    [InlineData("a.json", """{"Gateway":{"Backends":{"b":{"Security":{"Password": tru""" + Word + "}}}}}")]
    [InlineData("a.json", """{"Gateway":{"Backends":{"b":{"Security":{"Password": " """ + Word + "\\q\"}}}}}")]
    public async Task A_file_that_cannot_be_parsed_is_not_quoted(string name, string text)
    {
        var printed = await RunAsync("check", Write(name, text));
        Assert.Contains("cannot be read: ", printed, StringComparison.Ordinal);
        // A prefix of a literal is enough to be too much.
        Assert.DoesNotContain(Word[..3], printed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--Gateway:Backends:b:Security:Password=", Word)]
    [InlineData($"--Gatewy:Backends:b:Security:Password={Word}")]
    [InlineData("schema", $"--Gateway:Backends:b:Security:Password={Word}")]
    [InlineData("hash-password", Word)]
    [InlineData("--help", $"--Gateway:Backends:b:Security:Password={Word}")]
    [InlineData("--Gateway:Backends:b:Security:Users:bob={Word}")]
    public async Task A_command_line_is_not_repeated(params string[] arguments) =>
        Assert.DoesNotContain(Word, await RunAsync(arguments), StringComparison.Ordinal);

    [Fact]
    public async Task A_running_gateway_says_nothing_of_the_secrets_that_it_uses()
    {
        var certificates = Directory.CreateDirectory(_directory.File(Word));
        var log = new ListLoggerProvider();
        await using var gateway = await GatewayHost.StartAsync(
            log.Register,
            "Gateway:Backends:p:Socket=PUSH", "Gateway:Backends:p:Bind=tcp://127.0.0.1:*", "Gateway:Backends:p:Security:Mechanism=PLAIN",
                "Gateway:Backends:p:Security:Role=Server",
            $"Gateway:Backends:p:Security:Users:joe:Password={Word}",
            "Gateway:Backends:q:Socket=PUSH", "Gateway:Backends:q:Connect=tcp://127.0.0.1:9", "Gateway:Backends:q:Security:Mechanism=PLAIN",
                $"Gateway:Backends:q:Security:UserName=user{Word}",
            $"Gateway:Backends:q:Security:Password={Word}", "Gateway:Backends:q:Options:SocksProxy=127.0.0.1:9",
                $"Gateway:Backends:q:Options:SocksUserName={Word}", $"Gateway:Backends:q:Options:SocksPassword={Word}",
            "Gateway:Backends:c:Socket=PUSH", "Gateway:Backends:c:Bind=tcp://127.0.0.1:*", "Gateway:Backends:c:Security:Mechanism=CURVE",
                "Gateway:Backends:c:Security:Role=Server",
            "Gateway:Backends:c:Security:SecretKey=JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
                $"Gateway:Backends:c:Security:CertificateDirectory={certificates.FullName}",
            "Gateway:Routes:p:Path=/p", "Gateway:Routes:p:Backend=p", "Gateway:Routes:q:Path=/q", "Gateway:Routes:q:Backend=q",
                "Gateway:Routes:c:Path=/c", "Gateway:Routes:c:Backend=c");
        // The 503 tells why nothing is ready, and so does health.
        using var refused = await gateway.Client.PostAsync(new Uri("/q", UriKind.Relative), new StringContent("x"));
        var printed = await refused.Content.ReadAsStringAsync() + await (
            await gateway.Client.GetAsync(new Uri("/health/ready", UriKind.Relative))).Content.ReadAsStringAsync()
            + await gateway.Client.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative));
        Assert.Contains("127.0.0.1:9", printed, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(certificates.FullName, "joe.key"), "no certificate");
        await log.LineAsync("CertificateDirectory");
        printed += string.Join('\n', log.Lines);
        Assert.DoesNotContain(Word, printed, StringComparison.Ordinal);
        Assert.DoesNotContain("JTKVSB", printed, StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Dispose();

    private const string Valid = """{"Gateway":{"Backends":{"b":{"Socket":"SUB","Connect":["inproc://b"]}},"Routes":{"r":{"Path":"/r","Backend":"b"}}}}""";

    /// <summary>Every path that a value can stand at; the named groups have the name x.</summary>
    private static IEnumerable<string> Settings(Type type, string path) =>
        SettingDescription.Of(type).SelectMany(setting => setting.Form switch
    {
        SettingForm.Section => Settings(setting.SectionType!, $"{path}:{setting.Name}"),
        SettingForm.NamedSections => Settings(setting.SectionType!, $"{path}:{setting.Name}:x"),
        _ => [$"{path}:{setting.Name}"],
    });

    /// <summary>What stands around a setting decides which rules look at it.</summary>
    private static IEnumerable<(string Path, string Value)[]> Contexts(string path)
    {
        if (path.IndexOf(":Tls:", StringComparison.Ordinal) is > 0 and var tls)
            return [[], [($"{path[..tls]}:Bind", "wss://127.0.0.1:1"), ($"{path[..tls]}:Tls:CertificateFile", "/c"),
                ($"{path[..tls]}:Tls:KeyFile", "/k")], [($"{path[..tls]}:Connect", "wss://127.0.0.1:1")]];
        var at = path.IndexOf(":Security", StringComparison.Ordinal);
        if (at < 0) return [[]];
        var security = path[..(at + ":Security".Length)];
        return
            from mechanism in (string[])["NULL", "PLAIN", "CURVE"]
            from role in (string[])["Client", "Server"]
            select new[] { ($"{security}:Mechanism", mechanism), ($"{security}:Role", role) };
    }

    private string SecretFile() => Write("certificate", $"curve\n    public-key = \"{Word}\"\n    {Word} = \"{Word}\"\n");

    /// <summary>Everything that is printed about these settings: by check and by a start, and by a reload.</summary>
    private async Task<IEnumerable<string>> PrintedAsync(IReadOnlyList<(string Path, string Value)> settings)
    {
        var root = new JsonObject();
        foreach (var (path, value) in settings) Put(root, path.Split(':'), value);
        var file = Write("planted.json", root.ToJsonString());
        using var sources = new ConfigurationSources(_directory.Path, ["planted.json"], []);
        var (logger, valid) = (new ListLogger<ConfigurationReloader>(), ConfigurationSources.LoadFile(Write("valid.json", Valid)));
        using var reloader =
            new ConfigurationReloader(sources, new GatewayConfiguration(new ConfigurationReader([]).Read(valid)), [], TimeProvider.System,
            logger);
        reloader.Reload();
        Assert.NotEmpty(logger.Lines);
        return Leaks(await RunAsync("check", file) + string.Join('\n', logger.Lines));
    }

    private static void Put(JsonObject group, ReadOnlySpan<string> keys, string value)
    {
        if (keys.Length == 1) group[keys[0]] = value;
        else Put((JsonObject)(group[keys[0]] ??= new JsonObject()), keys[1..], value);
    }

    private static IEnumerable<string> Leaks(string printed) =>
        printed.Split('\n').Where(line => line.Contains(Word, StringComparison.Ordinal));

    private static async Task<string> RunAsync(params string[] arguments)
    {
        using var printed = new StringWriter();
        await GatewayCommand.RunAsync(arguments, printed, printed, new StringReader("")).WaitAsync(TimeSpan.FromSeconds(20));
        return printed.ToString();
    }

    private string Write(string name, string text)
    {
        File.WriteAllText(_directory.File(name), text);
        return _directory.File(name);
    }
}
