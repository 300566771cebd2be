using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Gateway.Configuration;
using Microsoft.AspNetCore.Connections;
using Zmtp;
using Zmtp.Authentication;
using Zmtp.Security;

namespace Gateway.CommandLine;

/// <summary>Runs what the command line asks for.</summary>
internal static class GatewayCommand
{
    private const int Done = 0;
    private const int Failed = 1;
    private const int Misused = 2;
    // As shells say it: 128 and the number of the signal.
    private const int Interrupted = 130;
    private const int Terminated = 143;

    private const string Usage = $"""
        Gateway: web endpoints for ZeroMQ services.

        gateway                        run with gateway.json or gateway.yaml of this directory; without any, the demo
        gateway check FILE             say everything that is wrong with a file
        gateway schema                 print the JSON Schema of the file, for editors
        gateway curve-keypair          print a new CURVE key pair; with --out NAME write NAME.key and NAME.key_secret instead
        gateway hash-password          read a password from the input and print its hash, for Security:Users

          --config FILE                a JSON or YAML file instead of gateway.json and gateway.yaml; repeatable, later ones win
          --urls URL[;URL]             where to listen; default {GatewayApplication.DefaultUrl}
          --Gateway:KEY=VALUE          one setting, such as --Gateway:Backends:calculator:Timeout=00:00:10
                                       (the same as an environment variable: Gateway__Backends__calculator__Timeout)
          --help, --version

        """;

    /// <summary>Runs it to its end.</summary>
    /// <returns>Exit code: 0 done, 1 failed, 2 not understood. A second signal ends the process with 130 or 143.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, TextWriter error, TextReader? input = null)
    {
        try
        {
            switch (CommandParser.Parse(arguments))
            {
                case Command.Help:
                    await output.WriteAsync(Usage);
                    return Done;
                case Command.Version:
                    await output.WriteLineAsync(GatewayApplication.Version);
                    return Done;
                case Command.Schema:
                    await output.WriteAsync(ConfigurationSchema.Text());
                    return Done;
                case Command.CurveKeyPair pair:
                    await output.WriteLineAsync(MakeKeyPair(pair.Out));
                    return Done;
                case Command.HashPassword:
                    await output.WriteLineAsync(HashPassword(await (input ?? Console.In).ReadLineAsync()));
                    return Done;
                case Command.Check check:
                    await output.WriteLineAsync(Check(check.File));
                    return Done;
                case Command.Serve serve:
                    await ServeAsync(serve);
                    return Done;
                case Command.Invalid invalid:
                    await error.WriteLineAsync($"gateway: {invalid.Message}");
                    return Misused;
                case var command:
                    throw new InvalidOperationException($"No case for {command}.");
            }
        }
        catch (ConfigurationException e)
        {
            foreach (var problem in e.Problems) await error.WriteLineAsync(problem);
            return Failed;
        }
    }

    private static string Check(string file)
    {
        using var rules = GatewayApplication.RuleServices();
        var configuration = ConfigurationSources.LoadFile(file);
        if (!configuration.GetSection(GatewayOptions.SectionName).Exists()) throw new ConfigurationException($"The file {file} has no section {GatewayOptions.SectionName}.");
        var snapshot = new ConfigurationReader(rules.GetServices<IRouteRules>()).Read(configuration);
        return $"{file} is valid: {Count(snapshot.Backends.Count, "backend")}, {Count(snapshot.Routes.Count, "route")}";
    }

    private static string MakeKeyPair(string? name)
    {
        try
        {
            var pair = CurveKeyPair.Generate();
            if (name is null) return $"public-key: {Z85.Encode(pair.PublicKey)}\nsecret-key: {Z85.Encode(pair.SecretKey)}";
            new CurveCertificate(pair.PublicKey, pair.SecretKey).Save(name, TimeProvider.System.GetUtcNow());
            return $"{name}.key is for those who have to know the key, {name}.key_secret for its owner alone";
        }
        catch (Exception e) when (e is ZmtpException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ConfigurationException($"gateway: no key pair was made: {e.Message.TrimEnd('.')}");
        }
    }

    private static string HashPassword(string? password) => string.IsNullOrEmpty(password) || Encoding.UTF8.GetByteCount(password) > byte.MaxValue
        ? throw new ConfigurationException("gateway: the input's first line has to be a password of 1 to 255 bytes")
        : PasswordHash.Of(password).ToString();

    private static string Count(int number, string thing) => number == 1 ? $"1 {thing}" : $"{number} {thing}s";

    private static async Task ServeAsync(Command.Serve serve)
    {
        using var sources = new ConfigurationSources(Environment.CurrentDirectory, serve.Files, serve.Settings);
        await using var app = GatewayApplication.Build(sources);
        try
        {
            await app.StartAsync();
        }
        catch (Exception e) when (e is IOException or SocketException || e.Message.StartsWith("Unable to configure HTTPS", StringComparison.Ordinal))
        {
            throw new ConfigurationException(WhyNotListening(e, app.Configuration["urls"] ?? GatewayApplication.DefaultUrl));
        }

        // The first signal is the host's, which lets requests end and queues drain; whoever sends a second one does not want to wait for
        // that.
        var signals = 0;
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, EndAtSecond);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, EndAtSecond);
        await app.WaitForShutdownAsync();
        // Here and not at the end of the method, where the signals would be the system's again while backends still linger.
        await app.DisposeAsync();

        void EndAtSecond(PosixSignalContext context)
        {
            context.Cancel = true;
            if (Interlocked.Increment(ref signals) > 1) Environment.Exit(context.Signal == PosixSignal.SIGINT ? Interrupted : Terminated);
        }
    }

    private static string WhyNotListening(Exception exception, string urls)
    {
        const string other = "choose another place with --urls http://127.0.0.1:PORT";
        // Kestrel's text: "Failed to bind to address http://…: address already in use."
        if (exception.InnerException is AddressInUseException)
        {
            var address = exception.Message.Split(": address")[0].Split(' ')[^1];
            return $"Cannot listen on {Secrets.WithoutUsers(address)}: another program does; {other}";
        }

        if (exception is InvalidOperationException)
            return $"Cannot listen on {Secrets.WithoutUsers(urls)}: https needs a certificate; set Kestrel:Certificates:Default:Path and KeyPath";
        return $"Cannot listen on {Secrets.WithoutUsers(urls)}: {exception.Message.TrimEnd('.')}; {other}";
    }
}
