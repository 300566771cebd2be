namespace Gateway.Benchmarks.Load;

/// <summary>Runs the parts of <c>load</c> one after the other: sides in turn, several rounds, medians.</summary>
internal static class LoadRunner
{
    public static async Task<int> RunAsync(string[] args)
    {
        if (args is ["--help" or "-h", ..])
        {
            Console.WriteLine(LoadOptions.Usage);
            return 0;
        }

        if (LoadOptions.Parse(args, out var error) is not { } options)
        {
            await Console.Error.WriteLineAsync($"{error}\n{LoadOptions.Usage}");
            return 2;
        }

        try
        {
            using var programs = await NativePrograms.BuildAsync();
            Console.WriteLine($"{Environment.ProcessorCount} cores, .NET {Environment.Version}, {options.Rounds} rounds of {options.Seconds} s");
            foreach (var part in options.Only) await RunPartAsync(part, programs, options);
            return 0;
        }
        catch (LoadException failure)
        {
            await Console.Error.WriteLineAsync(failure.Message);
            return 1;
        }
    }

    private static Task RunPartAsync(string part, NativePrograms programs, LoadOptions options) => part switch
    {
        "rest" => RestLoad.RunAsync(programs, options),
        "stream" => StreamLoad.RunAsync(programs, options),
        "topics" => TopicLoad.RunAsync(programs, options),
        "large" => LargeLoad.RunAsync(programs, options),
        "device" => DeviceLoad.RunAsync(programs, options),
        _ => IdleLoad.RunAsync(programs, options),
    };
}
