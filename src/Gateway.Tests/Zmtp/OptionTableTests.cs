using System.Globalization;
using System.Reflection;
using System.Text;
using Gateway.Configuration;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp;

/// <summary>One table for code, configuration and docs/sockets.md.</summary>
public class OptionTableTests
{
    private const string Marker = "<!-- From here on";

    /// <summary>What is no option of ZeroMQ: clocks, callbacks, and what belongs to security and wss, which have tables of their own.</summary>
    private static readonly string[] NotInTheTable =
    [
        "Time", "Jitter", "Events", "Inproc", "MaxEncryptedFrameSize", "Authenticator", "MaxHandshakesPerAddress",
    ];

    private static readonly string[] OfOtherTables = ["Plain", "Curve", "Zap", "Wss"];

    [Fact]
    public void Every_option_of_the_engine_is_in_the_table_once_and_the_other_way_round()
    {
        var properties = typeof(ZmtpOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => property.Name)
            .Where(name => !NotInTheTable.Contains(name) && !OfOtherTables.Any(start => name.StartsWith(start, StringComparison.Ordinal)));
        var names = SocketOptionTable.All.Select(option => option.Name).ToArray();
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.Empty(properties.Except(names));
        Assert.Empty(names.Except(typeof(ZmtpOptions).GetProperties().Select(property => property.Name)));
    }

    [Fact]
    public void Every_configured_option_is_one_of_the_engine_of_the_same_kind_and_reaches_it()
    {
        var target = new ZmtpOptions();
        var options = new SocketOptions
        {
            Identity = "me", Metadata = ["X-Team: blue"], ReconnectStop = ["HandshakeFailed", "connectionrefused"], TcpKeepAlive = true, MaxMessageSize = 7, Linger = TimeSpan.FromSeconds(9),
            RouterNotify = ["Disconnect"], WelcomeMessage = "hello",
        };
        options.ApplyTo(target);
        Assert.Equal("me"u8.ToArray(), target.Identity);
        Assert.Equal(" blue"u8.ToArray(), Assert.Single(target.Metadata).Value);
        Assert.Equal(ReconnectStop.HandshakeFailed | ReconnectStop.ConnectionRefused, target.ReconnectStop);
        Assert.Equal((true, 7L, TimeSpan.FromSeconds(9)), (target.TcpKeepAlive, target.MaxMessageSize, target.Linger));
        Assert.Equal(RouterNotify.Disconnect, target.RouterNotify);
        Assert.Equal("hello"u8.ToArray(), target.WelcomeMessage);
        Assert.All(SettingDescription.Of(typeof(SocketOptions)), setting => Assert.NotNull(SocketOptionTable.Find(setting.Name)));
    }

    [Fact]
    public void A_socket_refuses_an_option_that_its_type_does_not_take_and_says_which_types_do()
    {
        var refused = Assert.Throws<ZmtpException>(() => new SubSocket(new ZmtpOptions { XPubVerbose = true }));
        Assert.Equal("XPubVerbose does not apply to SUB sockets; it is for XPUB.", refused.Message);
        foreach (var option in SocketOptionTable.All.Where(option => option.Types.Count > 0))
        {
            Assert.False(option.IsGiven(new ZmtpOptions()), option.Name);
            var given = new ZmtpOptions();
            var property = typeof(ZmtpOptions).GetProperty(option.Name)!;
            property.SetValue(given, property.GetValue(given) is bool isSet ? !isSet : property.PropertyType == typeof(byte[]) ? "x"u8.ToArray() : property.PropertyType == typeof(int) ? 7 : Enum.ToObject(property.PropertyType, 1));
            Assert.True(option.IsGiven(given), option.Name);
            foreach (var type in Enum.GetValues<SocketType>().Where(type => type is not SocketType.None))
            {
                var error = Record.Exception(() => given.Check(type));
                Assert.Equal(option.Takes(type), error is null);
            }
        }
    }

    [Fact]
    public void The_documentation_lists_every_option_as_the_table_has_it()
    {
        var written = File.ReadAllText(SourceTree.PathOf("docs/sockets.md"));
        var text = new StringBuilder(written[..(written.IndexOf('\n', written.IndexOf(Marker, StringComparison.Ordinal)) + 1)]);
        text.Append("\n| libzmq, pyzmq | NetMQ | in code | in a configuration | default | types |\n|---|---|---|---|---|---|\n");
        var defaults = new ZmtpOptions();
        var configured = SettingDescription.Of(typeof(SocketOptions)).ToDictionary(setting => setting.Name);
        foreach (var option in SocketOptionTable.All)
        {
            var isConfigured = configured.TryGetValue(option.Name, out var setting);
            var value = Default(typeof(ZmtpOptions).GetProperty(option.Name)!.GetValue(defaults));
            if (isConfigured && setting!.DefaultText is { } other && Default(setting.Default) != value) value += $"; configuration {Default(setting.Default)}";
            text.Append(CultureInfo.InvariantCulture, $"| {Name(option.LibzmqName)} | {Name(option.NetMqName)} | `{option.Name}` | {(isConfigured ? $"`Options:{option.Name}`" : "")} | {value} | {option.TypesText} |\n");
        }

        CheckedIn.AssertCurrent("docs/sockets.md", text.ToString());
    }

    private static string Name(string name) => name.Length == 0 ? "" : $"`{name}`";

    private static string Default(object? value) => value switch
    {
        null => "the system's",
        true => "true",
        false => "false",
        byte[] or IReadOnlyDictionary<string, byte[]> or List<string> or "" or ReconnectStop.None or RouterNotify.None => "none",
        TimeSpan time when time == Timeout.InfiniteTimeSpan => "infinite",
        TimeSpan time => time == TimeSpan.Zero ? "0" : time < TimeSpan.FromSeconds(1) ? $"{time.TotalMilliseconds} ms" : $"{time.TotalSeconds} s",
        IFormattable number => number.ToString("N0", CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };
}
