using Gateway.Configuration;
using Microsoft.Extensions.Configuration;

namespace Gateway.Tests.Configuration;

public class ConfigurationReaderTests
{
    private static readonly string[] Valid =
    [
        "Backends:calculator:Socket=REQ", "Backends:calculator:Connect=tcp://127.0.0.1:5555",
        "Backends:quotes:Socket=SUB", "Backends:quotes:Connect=tcp://127.0.0.1:5556",
        "Backends:jobs:Socket=PUSH", "Backends:jobs:Bind=tcp://*:5557",
        "Routes:add:Path=/api/add", "Routes:add:Backend=calculator",
        "Routes:ticker:Path=/quotes/{topic?}", "Routes:ticker:Backend=quotes",
        "Routes:submit:Path=/jobs", "Routes:submit:Backend=jobs",
    ];

    [Fact]
    public void A_valid_configuration_becomes_a_snapshot_of_its_values()
    {
        var snapshot = Read([.. Valid, "backends:calculator:timeout=00:00:07", "Backends:quotes:Upstream:0=a", "Backends:quotes:Upstream:1=b", "Routes:ticker:Subscribers:Policy=conflate"]);
        Assert.Equal(TimeSpan.FromSeconds(7), snapshot.Backends["Calculator"].Timeout);
        Assert.Equal(["tcp://127.0.0.1:5555"], snapshot.Backends["calculator"].Connect);
        Assert.Equal(["a", "b"], snapshot.Backends["quotes"].Upstream);
        Assert.Equal(SlowConsumerPolicy.Conflate, snapshot.Routes["ticker"].Subscribers.Policy);
        Assert.False(snapshot.IsDemo);
    }

    [Theory]
    [InlineData("Routes:add:Backend=calculater", "Routes:add:Backend is \"calculater\"; allowed: one of calculator, jobs, quotes.")]
    [InlineData("Backends:calculator:Socket=REP", "Backends:calculator:Socket is \"REP\"; allowed: one of REQ, DEALER, CLIENT, PUB, XPUB, RADIO, PUSH, SCATTER, SUB, XSUB, PULL, GATHER, DISH; the other types are for devices.")]
    [InlineData("Backends:calculator:Timeout=5 seconds", "Backends:calculator:Timeout is \"5 seconds\"; allowed: a time above 00:00:00, at most 01:00:00, written as hours:minutes:seconds.")]
    [InlineData("Backends:calculator:Timeout=30", "Backends:calculator:Timeout is \"30\"; allowed: a time above 00:00:00, at most 01:00:00, written as hours:minutes:seconds.")]
    [InlineData("Backends:calculator:Timeout=00:00:00", "Backends:calculator:Timeout is \"00:00:00\"; allowed: a time above 00:00:00, at most 01:00:00, written as hours:minutes:seconds.")]
    [InlineData("Backends:calculator:MaxConnections=0", "Backends:calculator:MaxConnections is \"0\"; allowed: a whole number from 1 to 256.")]
    [InlineData("Backends:calculator:MaxConnections=many", "Backends:calculator:MaxConnections is \"many\"; allowed: a whole number from 1 to 256.")]
    [InlineData("Backends:calculator:MaxConnections=4294967297", "Backends:calculator:MaxConnections is \"4294967297\"; allowed: a whole number from 1 to 256.")]
    [InlineData("Backends:calculator:Retry:Unsafe=maybe", "Backends:calculator:Retry:Unsafe is \"maybe\"; allowed: true or false.")]
    [InlineData("Routes:ticker:Subscribers:Policy=Drop", "Routes:ticker:Subscribers:Policy is \"Drop\"; allowed: one of DropOldest, DropNewest, Conflate, Disconnect, Block.")]
    [InlineData("Backends:calculator:Timout=00:00:05", "Backends:calculator:Timout is not a setting; did you mean Timeout?")]
    [InlineData("Backends:calculator:Retry:Zebra=1", "Backends:calculator:Retry:Zebra is not a setting; settings here: Attempts, Unsafe.")]
    [InlineData("Bakends:calculator:Socket=REQ", "Bakends is not a setting; did you mean Backends?")]
    [InlineData("Backends:calculator:Retry=3", "Backends:calculator:Retry is \"3\"; allowed: a group of the settings Attempts, Unsafe.")]
    [InlineData("Backends:my calc:Socket=REQ", "Backends:my calc has the name \"my calc\"; allowed: a name of 1 to 64 letters, digits, '-', '_' and '.'.")]
    [InlineData("Backends:quotes:Connect:first=tcp://127.0.0.1:1", "Backends:quotes:Connect is \"tcp://127.0.0.1:5556\"; allowed: one value or a list, here are both.")]
    [InlineData("Backends:quotes:Bind:first=tcp://127.0.0.1:1", "Backends:quotes:Bind:first is not an entry of a list; allowed: texts, or the keys 0, 1, 2 and so on.")]
    [InlineData("Backends:calculator:Connect=tcp://127.0.0.1", "Backends:calculator:Connect:0 is \"tcp://127.0.0.1\"; allowed: tcp://host:port with a port from 0 to 65535, or * for any.")]
    [InlineData("Backends:calculator:Connect=tcp://*:5555", "Backends:calculator:Connect:0 is \"tcp://*:5555\"; allowed: tcp://host:port with the host and the port of a peer.")]
    [InlineData("Backends:calculator:Connect=http://127.0.0.1:5555", "Backends:calculator:Connect:0 is \"http://127.0.0.1:5555\"; allowed: tcp://host:port, ipc://path, ipc://@name, ws://host:port/path, wss://host:port/path, inproc://name or udp://host:port.")]
    [InlineData("Backends:calculator:Connect=tcp://127.0.0.1:70000", "Backends:calculator:Connect:0 is \"tcp://127.0.0.1:70000\"; allowed: tcp://host:port with a port from 0 to 65535, or * for any.")]
    [InlineData("Backends:quotes:Bind=tcp://127.0.0.1:1;127.0.0.1:5558", "Backends:quotes:Bind:0 is \"tcp://127.0.0.1:1;127.0.0.1:5558\"; allowed: an endpoint without a source address, which is for connecting.")]
    [InlineData("Backends:quotes:Bind=tcp://*:5557", "Backends:quotes:Bind:0 is \"tcp://*:5557\"; allowed: an endpoint that Gateway:Backends:jobs:Bind:0 does not bind already.")]
    [InlineData("Backends:calculator:Options:ReconnectMax=00:00:00.050", "Backends:calculator:Options:ReconnectMax is \"00:00:00.05\"; allowed: at least ReconnectMin, which is 00:00:00.1.")]
    [InlineData("Backends:calculator:Options:HeartbeatTimeout=00:00:05", "Backends:calculator:Options:HeartbeatTimeout is \"00:00:05\"; allowed: more than HeartbeatInterval, which is 00:00:10.")]
    [InlineData("Backends:quotes:Options:Identity=me", "Backends:quotes:Options:Identity does not apply to SUB sockets, it is for REQ, REP, DEALER, ROUTER; leave it out.")]
    [InlineData("Backends:jobs:Options:RouterMandatory=true", "Backends:jobs:Options:RouterMandatory does not apply to PUSH sockets, it is for ROUTER; leave it out.")]
    [InlineData("Backends:calculator:Options:ReqRelaxed=true", "Backends:calculator:Options:ReqRelaxed is decided by the gateway for call routes; leave it out.")]
    [InlineData("Backends:quotes:Options:TypeOfService=256", "Backends:quotes:Options:TypeOfService is \"256\"; allowed: a whole number from 0 to 255.")]
    [InlineData("Backends:quotes:Options:SendHighWatermark2=1", "Backends:quotes:Options:SendHighWatermark2 is not a setting; did you mean SendHighWaterMark?")]
    [InlineData("Backends:quotes:Options:SocksProxy=somewhere", "Backends:quotes:Options:SocksProxy is \"somewhere\"; allowed: host:port.")]
    [InlineData("Backends:quotes:Options:ReconnectStop=Never", "Backends:quotes:Options:ReconnectStop:0 is \"Never\"; allowed: one of ConnectionRefused, HandshakeFailed, AfterDisconnect.")]
    [InlineData("Backends:quotes:Options:Metadata=team:x", "Backends:quotes:Options:Metadata:0 is \"team:x\"; allowed: X-name:value, names of letters, digits, '-', '_', '.' and '+', up to 1 KiB in all.")]
    [InlineData("Backends:quotes:Connect=udp://239.1.1.1:5555", "Backends:quotes:Connect:0 is \"udp://239.1.1.1:5555\"; allowed: an endpoint of another transport; udp is for RADIO, which connects, and DISH, which binds; this is a SUB socket.")]
    [InlineData("Backends:quotes:Bind=epgm://eth0;239.1.1.1:5555", "Backends:quotes:Bind:0 is \"epgm://eth0;239.1.1.1:5555\"; allowed: tcp://host:port, ipc://path, ipc://@name, ws://host:port/path, wss://host:port/path, inproc://name or udp://host:port; epgm is not spoken here, and docs/recipes.md shows the forwarder that goes in front.")]
    [InlineData("Backends:quotes:MaxInFlight=5", "Backends:quotes:MaxInFlight does not apply to stream routes (Socket is SUB); leave it out.")]
    [InlineData("Routes:ticker:Timeout=00:00:05", "Routes:ticker:Timeout does not apply to stream routes (backend quotes is a SUB socket); leave it out.")]
    [InlineData("Routes:ticker:Methods=POST", "Routes:ticker:Methods does not apply to stream routes (backend quotes is a SUB socket); leave it out.")]
    [InlineData("Routes:add:Subscribers:MaxMessages=5", "Routes:add:Subscribers does not apply to call routes (backend calculator is a REQ socket); leave it out.")]
    [InlineData("Routes:add:Methods=FETCH", "Routes:add:Methods:0 is \"FETCH\"; allowed: one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS for a call route.")]
    [InlineData("Routes:submit:Methods=GET", "Routes:submit:Methods:0 is \"GET\"; allowed: one of POST, PUT for a push route.")]
    [InlineData("Routes:add:ContentType=json", "Routes:add:ContentType is \"json\"; allowed: a media type such as application/json.")]
    [InlineData("Routes:add:Path=api/add", "Routes:add:Path is \"api/add\"; allowed: a path such as /api/price/{symbol}.")]
    [InlineData("Routes:add:Path=/swagger/x", "Routes:add:Path is \"/swagger/x\"; allowed: a path that does not begin with /health, /swagger, /openapi, /gateway, which the gateway serves itself.")]
    [InlineData("Routes:submit:Path=/API/add/", "Routes:submit:Path is \"/API/add/\"; allowed: a path and method that route add does not answer already (POST).")]
    [InlineData("Routes:ticker:Topic:None=false", "Routes:ticker:Topic:None is \"false\"; allowed: true, or leave it out.")]
    [InlineData("Routes:ticker:Topic:Delimiter=12345678901234567", "Routes:ticker:Topic:Delimiter is \"12345678901234567\"; allowed: a text of 1 to 16 bytes as UTF-8.")]
    [InlineData("Limits:PingInterval=00:00:00", "Limits:PingInterval is \"00:00:00\"; allowed: a time from 00:00:01 to 01:00:00, written as hours:minutes:seconds.")]
    public void A_wrong_setting_is_said_with_its_path_its_value_and_what_is_allowed(string setting, string problem) =>
        Assert.Equal([$"Gateway:{problem}"], ProblemsOf([.. Valid, setting]));

    [Fact]
    public void A_DISH_takes_the_names_of_groups_and_no_prefixes() =>
        Assert.Equal(
            ["Gateway:Backends:b:Upstream:0 is \"\"; allowed: the exact name of a group, 1 to 255 bytes: a DISH joins groups and knows no prefixes."],
            ProblemsOf(["Backends:b:Socket=DISH", "Backends:b:Connect=tcp://127.0.0.1:5", "Backends:b:Upstream:0="]));

    [Fact]
    public void What_is_missing_is_said()
    {
        var problems = ProblemsOf("Backends:calculator:Timeout=00:00:05", "Routes:add:ContentType=text/plain");
        Assert.Equal(
            [
                "Gateway:Backends:calculator:Socket is missing; allowed: one of REQ, DEALER, CLIENT, PUB, XPUB, RADIO, PUSH, SCATTER, SUB, XSUB, PULL, GATHER, DISH; the other types are for devices.",
                "Gateway:Routes:add:Path is missing; allowed: a path such as /api/price/{symbol}.",
                "Gateway:Routes:add:Backend is missing; allowed: the name of a backend.",
                "Gateway:Backends:calculator names no endpoint; allowed: at least one in Connect or Bind, such as tcp://127.0.0.1:5555.",
            ],
            problems);
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once() => Assert.Equal(
        4, ProblemsOf([.. Valid, "Routes:add:Backend=nobody", "Backends:quotes:Timout=1", "Limits:PingInterval=soon", "Routes:submit:Methods=GET"]).Count);

    [Fact]
    public void Two_topic_rules_exclude_each_other() => Assert.Equal(
        ["Gateway:Routes:ticker:Topic has Frame and Delimiter; allowed: one of Frame, None, Delimiter."],
        ProblemsOf([.. Valid, "Routes:ticker:Topic:Frame=0", "Routes:ticker:Topic:Delimiter=:"]));

    [Theory]
    [InlineData("/price/{symbol}", "/price/{name?}")]
    [InlineData("/price/{id:int}", "/PRICE/{number:int=1}/")]
    [InlineData("/files/{**path}", "/files/{**rest}")]
    public void Templates_that_match_the_same_paths_exclude_each_other(string first, string second) => Assert.Equal(
        [$"Gateway:Routes:zadd:Path is \"{second}\"; allowed: a path and method that route add does not answer already (POST)."],
        ProblemsOf([.. Valid, $"Routes:add:Path={first}", $"Routes:zadd:Path={second}", "Routes:zadd:Backend=calculator"]));

    [Theory]
    [InlineData("/price/{symbol}", "/price/{id:int}")]
    [InlineData("/price/{symbol}", "/price/list")]
    public void Templates_of_which_one_is_narrower_may_stand_side_by_side(string first, string second) =>
        Read([.. Valid, $"Routes:add:Path={first}", $"Routes:zadd:Path={second}", "Routes:zadd:Backend=calculator"]);

    [Fact]
    public void A_template_that_cannot_be_read_is_said_with_the_reason()
    {
        var problem = Assert.Single(ProblemsOf([.. Valid, "Routes:add:Path=/api/{"]));
        Assert.StartsWith("Gateway:Routes:add:Path is \"/api/{\"; allowed: a path such as /api/price/{symbol} (", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{x:foo}", "x:foo", "there is no such constraint")]
    [InlineData("{x:number}", "x:number", "there is no such constraint")]
    [InlineData("{a}/{x:int:foo(1)}", "x:foo(1)", "there is no such constraint")]
    [InlineData("{x:range(5,1)}", "x:range(5,1)", "")]
    [InlineData("{x:length(a)}", "x:length(a)", "")]
    [InlineData("{x:min}", "x:min", "")]
    [InlineData("{x:regex([)}", "x:regex([)", "")]
    public void A_constraint_that_routing_cannot_make_is_said_with_those_that_it_can(string template, string constraint, string reason)
    {
        var problem = Assert.Single(ProblemsOf([.. Valid, $"Routes:add:Path=/api/{template}"]));
        var start = $"Gateway:Routes:add:Path is \"/api/{template}\"; allowed: constraints of parameters from alpha, bool, datetime, ";
        Assert.StartsWith(start, problem, StringComparison.Ordinal);
        Assert.Contains($", required (\"{constraint}\": {reason}", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{x:int:min(1)}")]
    [InlineData("{x:regex(^[[a-z]]{{2}}$)}")]
    [InlineData("{x:range(1,5)}/{y:guid?}")]
    [InlineData("{*x:alpha}")]
    public void A_constraint_that_routing_can_make_is_taken(string template) => Read([.. Valid, $"Routes:add:Path=/api/{template}"]);

    [Fact]
    public void A_stream_and_a_publish_route_may_share_a_path() => Read(
        [.. Valid, "Backends:news:Socket=PUB", "Backends:news:Bind=tcp://*:6000", "Routes:publish:Path=/quotes/{topic?}", "Routes:publish:Backend=news"]);

    [Fact]
    public void A_null_in_JSON_leaves_the_default()
    {
        var json = """{"Gateway":{"Backends":{"b":{"Socket":"SUB","Connect":["inproc://b"],"Options":{"MaxMessageSize":null},"Upstream":[]}},"Routes":{}}}""";
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json));
        var snapshot = new ConfigurationReader([]).Read(new ConfigurationBuilder().AddJsonStream(stream).Build());
        Assert.Null(snapshot.Backends["b"].Options.MaxMessageSize);
        Assert.Empty(snapshot.Backends["b"].Upstream);
    }

    [Fact]
    public void Without_a_section_the_demo_is_read_and_it_is_valid()
    {
        var snapshot = new ConfigurationReader([]).Read(new ConfigurationBuilder().Build());
        Assert.True(snapshot.IsDemo);
        Assert.Equal(["add", "clock", "quotes", "waveform"], snapshot.Routes.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_rules_of_a_feature_are_asked_for_routes_of_its_kind_only()
    {
        var rules = new EveryRouteIsWrong(RouteKinds.Publish | RouteKinds.Stream);
        var exception = Assert.Throws<ConfigurationException>(() => Read(Valid, rules));
        Assert.Equal(["Gateway:Routes:ticker:Path has topic."], exception.Problems);
    }

    private static IReadOnlyList<string> ProblemsOf(params string[] settings) => Assert.Throws<ConfigurationException>(() => Read(settings)).Problems;

    private static GatewaySnapshot Read(string[] settings, params IRouteRules[] rules)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var pair in settings.Select(setting => setting.Split('=', 2))) values[$"Gateway:{pair[0]}"] = pair[1];
        return new ConfigurationReader(rules).Read(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
    }

    private sealed class EveryRouteIsWrong(RouteKinds kinds) : IRouteRules
    {
        public RouteKinds Kinds => kinds;

        public IEnumerable<ConfigurationProblem> Check(ConfiguredRoute route) =>
            [new ConfigurationProblem($"{route.SettingPath}:Path", $"has {string.Join(", ", route.Parameters)}.")];
    }
}
