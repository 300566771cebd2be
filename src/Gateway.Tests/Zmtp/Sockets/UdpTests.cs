using System.Net;
using System.Net.Sockets;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Transports;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>udp:// of RADIO and DISH; with libzmq it is tested beside the other pairs.</summary>
public class UdpTests
{
    [Fact]
    public async Task A_datagram_is_the_length_of_the_group_the_group_and_the_body()
    {
        using var receiver = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        receiver.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var radio = new RadioSocket();
        radio.Connect($"udp://{receiver.LocalEndPoint}");
        await SendAsync(radio, "grp", "body");
        var datagram = new byte[100];
        var count = await receiver.ReceiveAsync(datagram).WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("03677270626F6479", Convert.ToHexString(datagram, 0, count));
    }

    [Fact]
    public async Task A_DISH_takes_the_datagrams_of_its_groups_and_ignores_broken_ones()
    {
        await using var dish = new DishSocket();
        dish.Join("grp");
        dish.Join("");
        var endpoint = dish.Bind("udp://127.0.0.1:*");
        using var sender = new UdpClient();
        sender.Connect(IPEndPoint.Parse(endpoint["udp://".Length..]));
        foreach (var datagram in (string[])["", "05677270", "036F746861", "03677270626F6479", "00", "0367727000"]) await sender.SendAsync(Convert.FromHexString(datagram));
        Assert.Equal(("grp", "body"), await NextAsync(dish));
        Assert.Equal(("", ""), await NextAsync(dish));
        Assert.Equal(("grp", "\0"), await NextAsync(dish));
    }

    [Fact]
    public async Task Every_DISH_of_a_multicast_group_hears_it_on_the_same_port()
    {
        await using var one = new DishSocket();
        await using var other = new DishSocket();
        one.Join("g");
        other.Join("g");
        var endpoint = one.Bind("udp://127.0.0.1;239.192.7.9:*");
        Assert.Equal(endpoint, other.Bind(endpoint));
        await using var radio = new RadioSocket(new ZmtpOptions { MulticastHops = 2 });
        radio.Connect(endpoint);
        await SendAsync(radio, "g", "both");
        Assert.Equal(("g", "both"), await NextAsync(one));
        Assert.Equal(("g", "both"), await NextAsync(other));
    }

    [Fact]
    public async Task A_message_that_fits_no_datagram_is_an_error_that_names_the_limit()
    {
        await using var dish = new DishSocket();
        dish.Join("g");
        await using var radio = new RadioSocket();
        radio.Connect(dish.Bind("udp://127.0.0.1:*"));
        await SendAsync(radio, "g", "first");
        Assert.Equal(("g", "first"), await NextAsync(dish));
        using var tooLarge = Message.Of(new byte[8191]);
        Assert.Contains("8192 bytes", Assert.Throws<ArgumentException>(() => radio.Send("g", tooLarge)).Message, StringComparison.Ordinal);
        Assert.Equal(1, radio.Send("g", Message.Of(new byte[8190])));
        using var largest = await dish.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal(8190, largest.Body.Length);
    }

    [Fact]
    public async Task An_endpoint_goes_when_it_is_taken_away()
    {
        await using var dish = new DishSocket();
        var endpoint = dish.Bind("udp://127.0.0.1:*");
        await using var radio = new RadioSocket();
        radio.Connect(endpoint);
        await SendAsync(radio, "g", "to whom it may concern");
        Assert.True(await radio.DisconnectAsync(endpoint));
        Assert.False(await radio.DisconnectAsync(endpoint));
        Assert.Equal(0, radio.Send("g", Message.Of("to nobody")));
        Assert.True(await dish.UnbindAsync(endpoint));
        Assert.Empty(dish.Endpoints);
        // The port is free again.
        await using var next = new DishSocket();
        Assert.Equal(endpoint, next.Bind(endpoint));
    }

    [Fact]
    public async Task Other_sockets_and_the_wrong_way_round_are_refused_with_the_reason()
    {
        await using var pub = new PubSocket();
        Assert.Contains("udp is for RADIO", Assert.Throws<ArgumentException>(() => pub.Connect("udp://127.0.0.1:5555")).Message, StringComparison.Ordinal);
        Assert.Contains("PUB", Assert.Throws<ArgumentException>(() => pub.Bind("udp://127.0.0.1:5555")).Message, StringComparison.Ordinal);
        await using var radio = new RadioSocket();
        Assert.Contains("RADIO connects and a DISH binds", Assert.Throws<ArgumentException>(() => radio.Bind("udp://127.0.0.1:5555")).Message, StringComparison.Ordinal);
        await using var dish = new DishSocket();
        Assert.Contains("DISH binds and a RADIO connects", Assert.Throws<ArgumentException>(() => dish.Connect("udp://127.0.0.1:5555")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("udp://239.1.2.3:5555", "239.1.2.3", null)]
    [InlineData("udp://eth0;239.1.2.3:5555", "239.1.2.3", "eth0")]
    [InlineData("udp://192.168.0.1;239.1.2.3:5555", "239.1.2.3", "192.168.0.1")]
    [InlineData("udp://[ff02::1]:5555", "ff02::1", null)]
    [InlineData("udp://name.example:5555", "name.example", null)]
    public void An_endpoint_is_read_and_written(string text, string host, string? nic)
    {
        var endpoint = ZmtpEndpoint.Parse(text);
        Assert.Equal(("udp", host, 5555, nic), (endpoint.Scheme, endpoint.Host, endpoint.Port, endpoint.Interface));
        Assert.Equal(text, endpoint.ToString());
    }

    [Theory]
    [InlineData("udp://eth0;10.0.0.1:5555", "multicast address as the group")]
    [InlineData("udp://;239.1.2.3:5555", "multicast address as the group")]
    [InlineData("udp://239.1.2.3", "udp://host:port with a port")]
    [InlineData("pgm://eth0;239.192.1.1:5555", "pgm is not spoken here, and docs/recipes.md")]
    [InlineData("epgm://eth0;239.192.1.1:5555", "epgm is not spoken here, and docs/recipes.md")]
    [InlineData("norm://eth0;239.192.1.1:5555", "norm is not spoken here, and docs/recipes.md")]
    [InlineData("tipc://{5560,0}", "tipc is not spoken here, and docs/recipes.md")]
    [InlineData("vmci://2:5555", "vmci is not spoken here, and docs/recipes.md")]
    [InlineData("vsock://2:5555", "vsock is not spoken here, and docs/recipes.md")]
    public void What_is_no_endpoint_is_refused_with_what_to_do(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<ArgumentException>(() => ZmtpEndpoint.Parse(text)).Message, StringComparison.Ordinal);

    private static async Task SendAsync(RadioSocket radio, string group, string body)
    {
        using var patience = new CancellationTokenSource(ScriptedPeer.Patience);
        while (radio.Send(group, Message.Of(body)) == 0)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static async Task<(string Group, string Text)> NextAsync(DishSocket dish)
    {
        using var message = await dish.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        return (message.GroupName, message.Text);
    }
}
