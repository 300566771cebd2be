using System.Text;
using System.Text.Json;
using Gateway.Configuration;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.Configuration;
using Zmtp.Authentication;
using Zmtp.Security;

namespace Gateway.Tests.Configuration;

public sealed class SecurityReaderTests : IDisposable
{
    private const string Path = "Gateway:Backends:b:Security";
    private static readonly CurveKeyPair Keys = CurveKeyPair.Generate();
    private static readonly string Public = Z85.Encode(Keys.PublicKey);
    private static readonly string Secret = Z85.Encode(Keys.SecretKey);
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Nothing_said_is_NULL_without_anybody_asked()
    {
        var security = Valid();
        Assert.Equal(("NULL", null, ""), (security.Mechanism, security.AllowList, security.ZapDomain));
    }

    [Fact]
    public void A_PLAIN_client_has_a_name_and_a_password_from_the_text_or_a_file()
    {
        File.WriteAllText(_directory.File("password"), "from file\r\nignored\n");
        Assert.Equal(("joe", "secret"), NameAndPassword(Valid("Mechanism=PLAIN", "UserName=joe", "Password=secret")));
        Assert.Equal(("joe", "from file"), NameAndPassword(Valid("Mechanism=plain", "UserName=joe", $"PasswordFile={_directory.File("password")}")));

        static (string?, string) NameAndPassword(SocketSecurity security) => (security.UserName, security.Password);
    }

    [Fact]
    public void A_PLAIN_server_has_users()
    {
        var hash = PasswordHash.Of("hashed", 10).ToString();
        File.WriteAllText(_directory.File("jane"), hash + "\n");
        var security = Valid("Mechanism=PLAIN", "Role=Server", "Users:joe:Password=secret", $"Users:jane:PasswordFile={_directory.File("jane")}", "Allow:0=10.0.0.0/8", "Deny=10.6.6.6", "ZapDomain=work");
        Assert.True(security.IsServer);
        Assert.Equal(["jane", "joe"], security.AllowList!.Users.Keys.Order());
        Assert.Equal((hash, "secret"), (security.AllowList.Users["jane"], security.AllowList.Users["joe"]));
        Assert.Equal(("10.0.0.0/8", "10.6.6.6", "work"), (security.AllowList.Allow[0], security.AllowList.Deny[0], security.ZapDomain));
    }

    [Theory]
    [InlineData("text")]
    [InlineData("file of the key alone")]
    [InlineData("file of the key alone and a line feed")]
    [InlineData("certificate")]
    public void A_CURVE_client_has_its_key_and_its_servers_from_the_text_or_a_file(string how)
    {
        var server = CurveKeyPair.Generate();
        new CurveCertificate(Keys.PublicKey, Keys.SecretKey).Save(_directory.File("own"), default);
        File.WriteAllText(_directory.File("server.key"), new CurveCertificate(server.PublicKey).ToPublicText(default));
        var end = how.EndsWith("line feed", StringComparison.Ordinal) ? "\n" : "";
        File.WriteAllText(_directory.File("own.txt"), Secret + end);
        File.WriteAllText(_directory.File("server.txt"), Z85.Encode(server.PublicKey) + end);
        var security = how switch
        {
            "text" => Valid("Mechanism=CURVE", $"SecretKey={Secret}", $"ServerKey={Z85.Encode(server.PublicKey)}"),
            "certificate" => Valid("Mechanism=CURVE", $"SecretKeyFile={_directory.File("own.key_secret")}", $"ServerKeyFile={_directory.File("server.key")}"),
            _ => Valid("Mechanism=CURVE", $"SecretKeyFile={_directory.File("own.txt")}", $"ServerKeyFile={_directory.File("server.txt")}"),
        };
        Assert.Equal((Public, Z85.Encode(server.PublicKey)), (Z85.Encode(security.Keys!.PublicKey), Z85.Encode(security.ServerKey!)));
        Assert.False(security.IsServer);
    }

    [Fact]
    public void A_CURVE_client_without_a_key_makes_one() => Assert.NotEqual(Keys.PublicKey, Valid("Mechanism=CURVE", $"ServerKey={Public}").Keys!.PublicKey);

    [Fact]
    public void A_CURVE_server_has_keys_or_certificates_or_says_that_any_may_come()
    {
        Assert.Equal(Keys.PublicKey, Assert.Single(Valid("Mechanism=CURVE", "Role=Server", $"SecretKey={Secret}", $"Keys={Public}").AllowList!.CurveKeys));
        Assert.Equal(_directory.Path, Valid("Mechanism=CURVE", "Role=Server", $"SecretKey={Secret}", $"CertificateDirectory={_directory.Path}").AllowList!.CertificateDirectory);
        Assert.True(Valid("Mechanism=CURVE", "Role=Server", $"SecretKey={Secret}", "AllowAny=true").AllowList!.AllowAny);
    }

    [Fact]
    public void NULL_with_lists_of_addresses_asks_about_everybody() => Assert.Equal("global", Valid("Allow=127.0.0.1").ZapDomain);

    public static TheoryData<string, string[]> Wrong() => new()
    {
        { ":Mechanism has a value that cannot be used (it is not shown); allowed: one of NULL, PLAIN, CURVE.", ["Mechanism=CURV"] },
        { ":Role has a value that cannot be used (it is not shown); allowed: one of Client, Server.",
            ["Mechanism=PLAIN", "Role=Both", "UserName=joe", "Password=x"] },
        { ":Role does not apply to Mechanism NULL", ["Role=Server", "Allow=127.0.0.1"] },
        { ":UserName is missing", ["Mechanism=PLAIN", "Password=x"] },
        { ":Password is missing; allowed: Password or PasswordFile.", ["Mechanism=PLAIN", "UserName=joe"] },
        { ":PasswordFile stands beside Password; allowed: one of the two.", ["Mechanism=PLAIN", "UserName=joe", "Password=x", "PasswordFile=y"] },
        { ":PasswordFile names a file that does not exist; allowed: a readable file.",
            ["Mechanism=PLAIN", "UserName=joe", "PasswordFile=/nowhere"] },
        { ":UserName does not apply to Mechanism NULL; leave it out.", ["UserName=joe"] },
        { ":Users does not apply to a PLAIN client; leave it out.", ["Mechanism=PLAIN", "UserName=joe", "Password=x", "Users:a:Password=b"] },
        { ":Password does not apply to a PLAIN server; leave it out.", ["Mechanism=PLAIN", "Role=Server", "Password=x", "Users:a:Password=b"] },
        { ":SecretKey does not apply to a PLAIN client; leave it out.", ["Mechanism=PLAIN", "UserName=joe", "Password=x", "SecretKey=k"] },
        { ":AllowAny does not apply to a PLAIN server; leave it out.", ["Mechanism=PLAIN", "Role=Server", "Users:a:Password=b", "AllowAny=true"] },
        { ":Allow does not apply to a PLAIN client; leave it out.", ["Mechanism=PLAIN", "UserName=joe", "Password=x", "Allow=127.0.0.1"] },
        { " lets nobody in; allowed for a PLAIN server: Users.", ["Mechanism=PLAIN", "Role=Server"] },
        { ":Users:joe:Password is missing", ["Mechanism=PLAIN", "Role=Server", "Users:joe:Pasword=x"] },
        { ":Users:joe:Password begins like a hash and is none", ["Mechanism=PLAIN", "Role=Server", "Users:joe:Password=$pbkdf2-sha256$x"] },
        { " lets nobody in; allowed for a CURVE server: Keys or CertificateDirectory, or AllowAny: true for every key.", ["Mechanism=CURVE", "Role=Server", "SecretKey=SECRET"] },
        { ":AllowAny is true, and Keys says who; allowed: one of the two.", ["Mechanism=CURVE", "Role=Server", "SecretKey=SECRET", "AllowAny=true", "Keys=PUBLIC"] },
        { ":Keys:1 has a value that cannot be used (it is not shown); allowed: 40 characters of Z85",
            ["Mechanism=CURVE", "Role=Server", "SecretKey=SECRET", "Keys:0=PUBLIC", "Keys:1=short"] },
        { ":SecretKey is missing; allowed: SecretKey or SecretKeyFile.", ["Mechanism=CURVE", "Role=Server", "Keys=PUBLIC"] },
        { ":SecretKey is no secret key; allowed: 40 characters of Z85", ["Mechanism=CURVE", "Role=Server", "SecretKey=hunter2", "Keys=PUBLIC"] },
        { ":ServerKey is missing; allowed: ServerKey or ServerKeyFile.", ["Mechanism=CURVE"] },
        { ":ServerKey has a value that cannot be used (it is not shown); allowed: 40 characters of Z85",
            ["Mechanism=CURVE", "ServerKey=~"] },
        { ":ServerKeyFile names a file that does not exist; allowed: a readable file.", ["Mechanism=CURVE", "ServerKeyFile=/nowhere"] },
        { ":CertificateDirectory names a directory that ",
            ["Mechanism=CURVE", "Role=Server", "SecretKey=SECRET", "CertificateDirectory=/nowhere"] },
        { ":Allow:0 has a value that cannot be used (it is not shown); allowed: an IP address",
            ["Mechanism=PLAIN", "Role=Server", "Users:a:Password=b", "Allow=example.com"] },
        { " lets nobody in; allowed for Mechanism NULL: Allow, or AllowAny", ["Deny=10.0.0.1"] },
        { ":ZapDomain has a value", ["ZapDomain=LONG"] },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_is_wrong_is_said_with_its_setting_and_without_a_secret(string words, string[] settings)
    {
        settings = [.. settings.Select(setting => setting.Replace("SECRET", Secret, StringComparison.Ordinal).Replace("PUBLIC", Public, StringComparison.Ordinal).Replace("LONG", new string('z', 256), StringComparison.Ordinal))];
        var problems = Problems(settings);
        Assert.Contains(problems, problem => problem.StartsWith(Path + words, StringComparison.Ordinal));
        Assert.All(problems, problem => Assert.DoesNotContain(Secret, problem, StringComparison.Ordinal));
        Assert.All(problems, problem => Assert.DoesNotContain("hunter2", problem, StringComparison.Ordinal));
    }

    [Fact]
    public void A_public_certificate_or_a_broken_one_is_no_secret_key()
    {
        File.WriteAllText(_directory.File("public.key"), new CurveCertificate(Keys.PublicKey).ToPublicText(default));
        File.WriteAllText(_directory.File("broken"), "curve\n    secret-key = \"hunter2\"\n");
        Assert.Contains("a public certificate; allowed: the file NAME.key_secret", Assert.Single(Problems("Mechanism=CURVE", $"ServerKey={Public}", $"SecretKeyFile={_directory.File("public.key")}")), StringComparison.Ordinal);
        var broken = Assert.Single(Problems("Mechanism=CURVE", $"ServerKey={Public}", $"SecretKeyFile={_directory.File("broken")}"));
        Assert.Contains("line 2: secret-key is not 40 characters of Z85", broken, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", broken, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_read_does_not_print_its_secrets() =>
        Assert.Equal("PLAIN client", Valid("Mechanism=PLAIN", "UserName=joe", "Password=hunter2").ToString());

    private static SocketSecurity Valid(params string[] settings)
    {
        var problems = new List<ConfigurationProblem>();
        var options = Read(settings, problems);
        var security = SecurityReader.Read(Path, options, problems);
        Assert.Empty(problems);
        return security;
    }

    /// <summary>By the whole configuration's way, so that it is known to be called.</summary>
    private static IReadOnlyList<string> Problems(params string[] settings)
    {
        var backend = new Dictionary<string, object> { ["Socket"] = "PULL", ["Bind"] = "inproc://b" };
        var json = JsonSerializer.Serialize(new { Gateway = new { Backends = new { b = backend } } });
        var configuration = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).AddInMemoryCollection(Pairs(settings)).Build();
        return Assert.Throws<ConfigurationException>(() => new ConfigurationReader([]).Read(configuration)).Problems;
    }

    private static SecurityOptions Read(string[] settings, List<ConfigurationProblem> problems)
    {
        var reader = new OptionsReader();
        var options = reader.Read<SecurityOptions>(new ConfigurationBuilder().AddInMemoryCollection(Pairs(settings)).Build().GetSection(Path));
        problems.AddRange(reader.Problems);
        return options;
    }

    private static IEnumerable<KeyValuePair<string, string?>> Pairs(string[] settings) =>
        settings.Select(setting => setting.Split('=', 2)).Select(pair => new KeyValuePair<string, string?>($"{Path}:{pair[0]}", pair[1]));
}
