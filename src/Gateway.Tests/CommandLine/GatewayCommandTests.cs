using System.Net;
using System.Net.Sockets;
using Gateway.CommandLine;

namespace Gateway.Tests.CommandLine;

public sealed class GatewayCommandTests : IDisposable
{
    private const string Valid = """{"Gateway":{"Backends":{"b":{"Socket":"SUB","Connect":["inproc://b"]}},"Routes":{"r":{"Path":"/r","Backend":"b"}}}}""";
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("gateway-");

    [Fact]
    public async Task Help_shows_the_usage()
    {
        var (code, output, _) = await RunAsync("--help");
        Assert.Equal(0, code);
        Assert.Contains("gateway check FILE", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_is_a_version()
    {
        var (code, output, _) = await RunAsync("--version");
        Assert.Equal(0, code);
        Assert.True(System.Version.TryParse(output.Trim(), out _), output);
    }

    [Fact]
    public async Task Schema_is_printed()
    {
        var (code, output, _) = await RunAsync("schema");
        Assert.Equal((0, Gateway.Configuration.ConfigurationSchema.Text()), (code, output));
    }

    [Theory]
    [InlineData("gateway: --confg is not known; did you mean --config?", "--confg", "x.json")]
    [InlineData("gateway: --hepl is not known; did you mean --help?", "--hepl")]
    [InlineData("gateway: chek is not known; did you mean check?", "chek", "x.json")]
    [InlineData("gateway: frobnicate is not known; gateway --help lists what is", "frobnicate")]
    [InlineData("gateway: --frobnicate is not known; gateway --help lists what is", "--frobnicate=1")]
    [InlineData("gateway: --config needs a value: --config=VALUE", "--config")]
    [InlineData("gateway: --urls needs a value: --urls=VALUE", "--urls", "--config=x")]
    [InlineData("gateway: check takes one file: gateway check gateway.json", "check")]
    [InlineData("gateway: schema takes nothing more; remove x", "schema", "x")]
    public async Task What_is_not_known_is_said_with_exit_code_2(string message, params string[] arguments)
    {
        var (code, output, error) = await RunAsync(arguments);
        Assert.Equal((2, "", message), (code, output, error.TrimEnd()));
    }

    [Fact]
    public async Task A_valid_file_is_said_to_be_valid()
    {
        var file = Write("gateway.json", Valid);
        Assert.Equal((0, $"{file} is valid: 1 backend, 1 route", ""), Trimmed(await RunAsync("check", file)));
    }

    [Fact]
    public async Task A_YAML_file_is_read_like_a_JSON_file()
    {
        var file = Write("gateway.yaml", """
            Gateway:
              Backends:
                b: { Socket: PULL, Bind: ["tcp://*:5555"] }
              Routes:
                r: { Path: /r, Backend: c }
            """);
        Assert.Equal((1, "", "Gateway:Routes:r:Backend is \"c\"; allowed: one of b."), Trimmed(await RunAsync("check", file)));
    }

    [Fact]
    public async Task Every_problem_of_a_file_is_a_line()
    {
        var file = Write("gateway.json", """{"Gateway":{"Backends":{"b":{"Socket":"SUBB","Connect":["inproc://b"]}},"Routes":{"r":{"Path":"/r","Bckend":"b"}}}}""");
        var (code, _, error) = Trimmed(await RunAsync("check", file));
        Assert.Equal(1, code);
        Assert.Equal(
            [
                "Gateway:Backends:b:Socket is \"SUBB\"; allowed: one of REQ, DEALER, CLIENT, PUB, XPUB, RADIO, PUSH, SCATTER, SUB, XSUB, PULL, GATHER, DISH; the other types are for devices.",
                "Gateway:Routes:r:Bckend is not a setting; did you mean Backend?",
                "Gateway:Routes:r:Backend is missing; allowed: the name of a backend.",
            ],
            error.Split(Environment.NewLine));
    }

    [Theory]
    [InlineData("broken.json", "line 2: ", "{ \"Gateway\":\n { ]")]
    [InlineData("broken.yaml", "line 3: ", "Gateway:\n  Backends: [\n")]
    [InlineData("twice.yaml", "The key Gateway:limits stands twice (case does not matter), line 3.", "Gateway:\n  Limits: 1\n  limits: 2\n")]
    [InlineData("list.yaml", "The document is not a mapping of keys to values.", "- a\n- b\n")]
    [InlineData("twice.json", "A duplicate key", """{"Gateway":{"Backends":{}},"gateway":{"Backends":{}}, "Gateway":{"Limits":{"PingInterval":"00:00:05"},"limits":{"pinginterval":"00:00:06"}}}""")]
    public async Task A_file_that_cannot_be_read_is_one_line_that_names_it(string name, string reason, string text)
    {
        var file = Write(name, text);
        var (code, output, error) = Trimmed(await RunAsync("check", file));
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith($"The file {file} cannot be read: {reason}", error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
    }

    [Fact]
    public async Task A_file_that_is_missing_is_named()
    {
        Assert.Equal((1, "", "The file nowhere.json does not exist."), Trimmed(await RunAsync("check", "nowhere.json")));
        Assert.Equal((1, "", "The file nowhere.json does not exist (named by --config)."), Trimmed(await RunAsync("--config", "nowhere.json")));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_one_line_that_names_the_setting()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        var url = $"http://127.0.0.1:{((IPEndPoint)other.LocalEndPoint!).Port}";
        var (code, _, error) = Trimmed(await RunAsync($"--urls={url}", $"--config={Write("gateway.json", Valid)}"));
        Assert.Equal((1, $"Cannot listen on {url}: another program does; choose another place with --urls http://127.0.0.1:PORT"), (code, error));
    }

    [Theory]
    [InlineData("foo", "urls is \"foo\"; allowed: one or more such as http://127.0.0.1:8080, separated by semicolons.")]
    [InlineData("http://127.0.0.1:80000", "urls is \"http://127.0.0.1:80000\"; allowed: one or more such as http://127.0.0.1:8080, separated by semicolons.")]
    [InlineData("http://192.0.2.1:9999", "Cannot listen on http://192.0.2.1:9999: Cannot assign requested address; choose another place with --urls http://127.0.0.1:PORT")]
    public async Task A_place_where_nobody_can_listen_is_one_line(string url, string message) =>
        Assert.Equal((1, "", message), Trimmed(await RunAsync($"--urls={url}", $"--config={Write("gateway.json", Valid)}")));

    public void Dispose() => _directory.Delete(recursive: true);

    private static (int Code, string Output, string Error) Trimmed((int Code, string Output, string Error) run) => (run.Code, run.Output.Trim(), run.Error.Trim());

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await GatewayCommand.RunAsync(arguments, output, error).WaitAsync(TimeSpan.FromSeconds(20));
        return (code, output.ToString(), error.ToString());
    }

    private string Write(string name, string text)
    {
        var file = Path.Combine(_directory.FullName, name);
        File.WriteAllText(file, text);
        return file;
    }
}
