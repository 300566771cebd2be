using System.Text;
using Gateway.Configuration;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Devices;

public class DeviceConfigurationTests
{
    private const string Good = "Type=Queue;Frontend:Bind=tcp://*:5570;Backend:Bind=tcp://*:5571";

    [Theory]
    [InlineData("Type=Quue;Frontend:Bind=tcp://*:1;Backend:Bind=tcp://*:2", "d:Type is \"Quue\"; allowed: one of Queue, Forwarder, Streamer, MonitoredQueue, Proxy.")]
    [InlineData("Type=Queue;Backend:Bind=tcp://*:2", "d:Frontend names no endpoint; allowed: at least one in Connect or Bind, such as tcp://127.0.0.1:5555.")]
    [InlineData(Good + ";Frontend:Socket=PUB", "d:Frontend:Socket is \"PUB\"; allowed: one of ROUTER, DEALER for a Queue; Type Proxy takes every pair that fits.")]
    [InlineData("Type=Proxy;Frontend:Socket=PUSH;Frontend:Bind=tcp://*:1;Backend:Socket=PUSH;Backend:Bind=tcp://*:2", "d has sockets that do not fit: PUSH cannot stand opposite PUSH; opposite PUSH: PULL, SUB, XSUB.")]
    [InlineData("Type=Proxy;Frontend:Bind=tcp://*:1;Backend:Socket=PULL;Backend:Bind=tcp://*:2", "d:Frontend:Socket is missing; allowed: one of DEALER, ROUTER, PUB, SUB, XPUB, XSUB, PUSH, PULL, PAIR, RADIO, DISH, GATHER, SCATTER, CHANNEL.")]
    [InlineData("Type=MonitoredQueue;Frontend:Bind=tcp://*:1;Backend:Bind=tcp://*:2", "d:Monitor names no endpoint; allowed: at least one in Connect or Bind, such as tcp://127.0.0.1:5555.")]
    [InlineData("Type=Proxy;Frontend:Socket=GATHER;Frontend:Bind=tcp://*:1;Backend:Socket=PUSH;Backend:Bind=tcp://*:2", "d has sockets that do not fit: GATHER cannot stand opposite PUSH; opposite GATHER: SCATTER.")]
    [InlineData("Type=Forwarder;Frontend:Socket=DISH;Frontend:Bind=tcp://*:1;Backend:Socket=RADIO;Backend:Bind=tcp://*:2", "d:Frontend:Subscribe is missing; allowed: the groups that the DISH joins, by their exact names.")]
    [InlineData("Type=Forwarder;Frontend:Socket=DISH;Frontend:Subscribe:0=g;Frontend:Subscribe:1=g;Frontend:Bind=tcp://*:1;Backend:Socket=RADIO;Backend:Bind=tcp://*:2", "d:Frontend:Subscribe:1 is \"g\"; allowed: each group once.")]
    [InlineData(Good + ";Monitor:Socket=SUB;Monitor:Bind=tcp://*:3", "d:Monitor:Socket is \"SUB\"; allowed: one of PUB, XPUB, PUSH, PAIR, DEALER.")]
    [InlineData(Good + ";Control:Socket=PUB;Control:Bind=tcp://*:3", "d:Control:Socket is \"PUB\"; allowed: one of PAIR, REP, DEALER, PULL, SUB.")]
    [InlineData(Good + ";Backend:Subscribe=x", "d:Backend:Subscribe does not apply to DEALER sockets, it is for SUB, XSUB, DISH; leave it out.")]
    [InlineData(Good + ";RestartMax=00:00:00.5", "d:RestartMax is \"00:00:00.5\"; allowed: at least RestartMin, which is 00:00:01.")]
    [InlineData("Type=Streamer;Frontend:Bind=tcp://*:1;Backend:Bind=tcp://*:2;Frontend:Options:Identity=x", "d:Frontend:Options:Identity does not apply to PULL sockets, it is for REQ, REP, DEALER, ROUTER; leave it out.")]
    [InlineData("Type=Streamer;Frontend:Bind=tcp://*:1;Backend:Bind=tcp://*:2;Backend:Identity=x", "d:Backend:Identity does not apply to PUSH sockets, it is for REQ, REP, DEALER, ROUTER; leave it out.")]
    [InlineData(Good + ";Backend:Options:Immediate=false", "d:Backend:Options:Immediate is \"false\"; allowed: true, for a device sends to ready peers only and holds what waits itself.")]
    [InlineData(Good + ";Frontend:Options:Immediate=false", "d:Frontend:Options:Immediate does not apply to ROUTER sockets, it is for REQ, DEALER, PUSH, PAIR, CLIENT, SCATTER, CHANNEL; leave it out.")]
    [InlineData(Good + ";Backend:Options:SendTimeout=00:00:01", "d:Backend:Options:SendTimeout is for code only: it bounds the calls of a program that uses the library; the gateway's own waits have settings of their own, such as Timeout of a backend; leave it out.")]
    [InlineData(Good + ";Backend:Options:XPubManual=true", "d:Backend:Options:XPubManual is for code only: with it a program answers each subscription itself; leave it out.")]
    [InlineData(Good + ";Frontend:Options:ConnectRoutingId=x", "d:Frontend:Options:ConnectRoutingId is for code only: it is an argument of RouterSocket.Connect and holds for one endpoint; leave it out.")]
    [InlineData("Type=Queue;Frontend:Bind=tcp://*:1;Backend:Bind=tcp://*:1", "d:Backend:Bind:0 is \"tcp://*:1\"; allowed: an endpoint that Gateway:Devices:d:Frontend:Bind:0 does not bind already.")]
    public void What_is_wrong_with_a_device_is_said_with_what_is_allowed(string settings, string problem) =>
        Assert.Equal($"Gateway:Devices:{problem}", Assert.Single(Problems(settings)));

    [Theory]
    [InlineData(Good)]
    [InlineData(Good + ";Frontend:Socket=XREP;Backend:Socket=xreq")]
    [InlineData("Type=Proxy;Frontend:Socket=SUB;Frontend:Connect=tcp://h:1;Backend:Socket=PUSH;Backend:Bind=tcp://*:2")]
    [InlineData("Type=Streamer;Frontend:Socket=GATHER;Frontend:Bind=tcp://*:1;Backend:Socket=SCATTER;Backend:Bind=tcp://*:2")]
    [InlineData("Type=Proxy;Frontend:Socket=CHANNEL;Frontend:Bind=tcp://*:1;Backend:Socket=CHANNEL;Backend:Bind=tcp://*:2")]
    [InlineData("Type=Forwarder;Frontend:Socket=DISH;Frontend:Subscribe=g;Frontend:Bind=udp://239.1.1.1:5555;Backend:Socket=RADIO;Backend:Bind=tcp://*:2")]
    [InlineData("Type=MonitoredQueue;Frontend:Bind=tcp://*:1;Backend:Bind=tcp://*:2;Monitor:Bind=tcp://*:3;Monitor:In=;Monitor:Out=o")]
    public void A_device_that_fits_is_taken(string settings) => Assert.Empty(Problems(settings));

    [Fact]
    public void The_configuration_of_the_guide_is_valid()
    {
        var json = File.ReadAllText(SourceTree.PathOf("docs/devices.md")).Split("```json\n")[1].Split("```")[0];
        Assert.Empty(Problems(new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build()));
    }

    private static IEnumerable<string> Problems(string settings)
    {
        var root = new ConfigurationBuilder().AddInMemoryCollection(settings.Split(';').Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create($"Gateway:Devices:d:{pair[0]}", (string?)pair[1]))).Build();
        return Problems(root);
    }

    private static IEnumerable<string> Problems(IConfiguration root)
    {
        using var rules = GatewayApplication.RuleServices();
        try
        {
            new ConfigurationReader(rules.GetServices<IRouteRules>()).Read(root);
            return [];
        }
        catch (ConfigurationException e)
        {
            return [.. e.Problems.Select(problem => problem.ToString())];
        }
    }
}
