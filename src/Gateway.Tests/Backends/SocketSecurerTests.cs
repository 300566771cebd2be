using System.Text;
using System.Threading.Channels;
using Gateway.Backends;
using Gateway.Configuration;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.Logging;
using Zmtp;
using Zmtp.Authentication;
using Zmtp.Security;

namespace Gateway.Tests.Backends;

public sealed class SocketSecurerTests : IDisposable
{
    private const string Path = "Gateway:Backends:b:Security";
    private static readonly CurveKeyPair Keys = CurveKeyPair.Generate();
    private readonly TemporaryDirectory _directory = new();
    private readonly ManualTimeProvider _time = new();
    private readonly Lines _lines = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_PLAIN_client_gets_its_name_and_password()
    {
        var socket = Secure(new SecurityOptions { Mechanism = "PLAIN", UserName = "joe", Password = "secret" });
        Assert.Equal(("joe", "secret", null), (socket.PlainUserName, socket.PlainPassword, socket.Authenticator));
    }

    [Fact]
    public async Task A_PLAIN_server_gets_its_users_as_the_authenticator()
    {
        var options = new SecurityOptions { Mechanism = "PLAIN", Role = "Server", ZapDomain = "work", Users = { ["joe"] = new SecurityUserOptions { Password = "secret" } } };
        var socket = Secure(options);
        Assert.Equal((true, false, "work"), (socket.PlainServer, socket.CurveServer, socket.ZapDomain));
        Assert.Equal(200, (await AskAsync(socket, "PLAIN", "joe"u8.ToArray(), "secret"u8.ToArray())).Status);
        Assert.Equal(400, (await AskAsync(socket, "PLAIN", "joe"u8.ToArray(), "guess"u8.ToArray())).Status);
    }

    [Fact]
    public void A_CURVE_client_gets_its_keys_and_its_servers()
    {
        var server = CurveKeyPair.Generate();
        var socket = Secure(new SecurityOptions { Mechanism = "CURVE", SecretKey = Z85.Encode(Keys.SecretKey), ServerKey = Z85.Encode(server.PublicKey) });
        Assert.Equal((Z85.Encode(Keys.PublicKey), Z85.Encode(server.PublicKey), false), (Z85.Encode(socket.CurveKeys!.PublicKey), Z85.Encode(socket.CurveServerKey), socket.CurveServer));
    }

    [Fact]
    public async Task Certificates_are_followed_and_what_is_wrong_with_one_is_logged_with_the_setting()
    {
        await File.WriteAllTextAsync(_directory.File("joe.key"), new CurveCertificate(Keys.PublicKey).ToPublicText(default));
        using var securer = new SocketSecurer(new Loggers(_lines), _time);
        var socket = new ZmtpOptions();
        securer.Secure(socket, new SecurityOptions { Mechanism = "CURVE", Role = "Server", SecretKey = Z85.Encode(Keys.SecretKey), CertificateDirectory = _directory.Path }, Path);
        Assert.Equal(200, (await AskAsync(socket, "CURVE", Keys.PublicKey)).Status);
        await _lines.ExpectAsync($"Information: {Path}: 1 certificates of");
        await File.WriteAllTextAsync(_directory.File("jane.key"), "nonsense");
        _time.Advance(TimeSpan.FromSeconds(10));
        await _lines.ExpectAsync($"Warning: {Path}: the certificate CertificateDirectory/jane.key cannot be used");
        File.Delete(_directory.File("joe.key"));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(400, (await AskAsync(socket, "CURVE", Keys.PublicKey)).Status);
    }

    [Fact]
    public void A_file_that_went_since_the_check_is_an_error_with_the_setting() =>
        Assert.StartsWith(
            $"{Path}:PasswordFile names a file that does not exist",
            Assert.Throws<ConfigurationException>(() => Secure(new SecurityOptions { Mechanism = "PLAIN", UserName = "joe", PasswordFile = "/nowhere" })).Problems[0], StringComparison.Ordinal);

    private ZmtpOptions Secure(SecurityOptions options)
    {
        var socket = new ZmtpOptions();
        using var securer = new SocketSecurer(new Loggers(_lines), _time);
        securer.Secure(socket, options, Path);
        return socket;
    }

    private static ValueTask<AuthenticationResult> AskAsync(ZmtpOptions socket, string mechanism, params byte[][] credentials) =>
        socket.Authenticator!.AuthenticateAsync(new AuthenticationRequest(mechanism, "", "127.0.0.1", [], credentials), default);

    private sealed class Lines : ILogger
    {
        private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Writer.TryWrite($"{logLevel}: {formatter(state, exception)}");

        public async Task ExpectAsync(string start)
        {
            var seen = new StringBuilder();
            try
            {
                while (await _lines.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10)) is var line && !line.StartsWith(start, StringComparison.Ordinal)) seen.AppendLine(line);
            }
            catch (TimeoutException)
            {
                Assert.Fail($"\"{start}\" was not logged, but {seen}");
            }
        }
    }

    private sealed class Loggers(ILogger logger) : ILoggerFactory
    {
        public void AddProvider(ILoggerProvider provider) => Assert.Fail("The one logger gets everything.");

        public ILogger CreateLogger(string categoryName) => logger;

        public void Dispose() => GC.SuppressFinalize(this);
    }
}
