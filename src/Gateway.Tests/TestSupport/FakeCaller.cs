using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Text;
using Gateway.Backends;
using Microsoft.Extensions.DependencyInjection;
using Zmtp.Wire;

namespace Gateway.Tests.TestSupport;

/// <summary>A caller whose replies the test makes, and the only backend there is.</summary>
/// <param name="answer">Sends the reply of one call; what it throws, the call throws.</param>
internal sealed class FakeCaller(Func<FakeCaller.Exchange, Task> answer) : ICaller, IBackend, IBackendRegistry
{
    public string Name => "service";

    public string Socket => "REQ";

    public IReadOnlyList<EndpointStatus> Endpoints => [];

    public bool IsReady => true;

    public string? WhyNotReady => null;

    public IEnumerable<IBackend> All => [this];

    /// <summary>Answers every call with the same frames.</summary>
    public static FakeCaller Replying(params string[] frames) => new(call => call.ReplyAsync([.. frames.Select(Encoding.UTF8.GetBytes)]));

    /// <summary>Starts a gateway with one route, <c>/call</c>, onto this backend.</summary>
    /// <param name="settings">Settings of the route, such as <c>Reply:0={status}</c>.</param>
    public Task<GatewayHost> StartAsync(params string[] settings) => StartWithAsync([], settings);

    /// <summary>As <see cref="StartAsync"/>, with settings besides those of the route.</summary>
    public Task<GatewayHost> StartWithAsync(string[] others, params string[] settings) => GatewayHost.StartAsync(
        services => services.AddSingleton<IBackendRegistry>(this),
        [
            "Gateway:Backends:service:Socket=REQ", "Gateway:Backends:service:Connect:0=tcp://127.0.0.1:5555",
            "Gateway:Routes:call:Path=/call/{id?}", "Gateway:Routes:call:Backend=service",
            .. others, .. settings.Select(setting => $"Gateway:Routes:call:{setting}"),
        ]);

    public bool TryGet(string name, [MaybeNullWhen(false)] out IBackend backend)
    {
        backend = this;
        return true;
    }

    public async ValueTask CallAsync(ICall call, TimeSpan timeout, bool repeatable, CancellationToken cancellationToken)
    {
        var writer = new RecordingFrameWriter();
        call.WriteRequest(writer);
        await answer(new Exchange(call, writer, timeout, repeatable, cancellationToken));
    }

    /// <summary>One call as the backend sees it.</summary>
    internal sealed class Exchange(ICall call, RecordingFrameWriter request, TimeSpan timeout, bool repeatable, CancellationToken cancelled)
    {
        public IReadOnlyList<byte[]> Frames => request.Frames;

        public IEnumerable<string> Texts => Frames.Select(Encoding.UTF8.GetString);

        public TimeSpan Timeout => timeout;

        public bool Repeatable => repeatable;

        public CancellationToken Cancelled => cancelled;

        public long StreamedLength => call.StreamedLength;

        public PipeReader StreamedBody => call.StreamedBody;

        public Task ReplyAsync(params string[] frames) => ReplyAsync([.. frames.Select(Encoding.UTF8.GetBytes)]);

        public async Task ReplyAsync(byte[][] frames)
        {
            for (var i = 0; i < frames.Length; i++) await SendPartAsync(frames[i], frames[i].Length, isFirst: true, isLast: true, more: i < frames.Length - 1);
        }

        /// <summary>Hands over one part, and waits as a lane does where the call asks for it.</summary>
        public async Task SendPartAsync(ReadOnlyMemory<byte> bytes, long frameLength, bool isFirst, bool isLast, bool more)
        {
            if (!call.Accept(new FramePart(bytes.Span, frameLength, isFirst, isLast, more))) await call.WhenReadyAsync(CancellationToken.None);
        }
    }
}
