using Gateway.Configuration;
using Gateway.Telemetry;
using Microsoft.Extensions.Configuration;

namespace Gateway.Tests.Telemetry;

public class StartReportTests
{
    [Fact]
    public void The_start_lists_backends_devices_and_routes_in_columns()
    {
        var snapshot = new ConfigurationReader([]).Read(new ConfigurationBuilder().Build());
        Assert.Equal(
            [
                $"Gateway {GatewayApplication.Version}: nothing is configured, so the demo runs (no gateway.json or gateway.yaml here, no --config)",
                "backend calculator  REQ    inproc://demo-calculator",
                "backend clock       SUB    inproc://demo-clock",
                "backend quotes      SUB    inproc://demo-quotes",
                "backend waveform    SUB    inproc://demo-waveform",
                "device  calls       MonitoredQueue ROUTER inproc://demo-calculator (bound) <-> DEALER inproc://demo-calculator-service",
                "route   add         POST   /api/add (call, calculator)",
                "route   clock       WS     /clock (stream, clock)",
                "route   quotes      WS     /quotes/{topic?} (stream, quotes)",
                "route   waveform    WS     /waveform (stream, waveform)",
            ],
            StartReport.Lines(snapshot));
    }

    [Fact]
    public void A_start_without_routes_says_so()
    {
        var nothing = new GatewaySnapshot(new GatewayOptions(), isDemo: false);
        Assert.Equal("no route is configured: nothing but health and the pages is served", StartReport.Lines(nothing).Last());
    }
}
