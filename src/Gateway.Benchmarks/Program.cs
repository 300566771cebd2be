using BenchmarkDotNet.Running;
using Gateway.Benchmarks.Load;
using Gateway.Benchmarks.Soak;

// Verbs: load (end to end, beside baselines), soak (with faults, and accounts at the end), micro (BenchmarkDotNet), kestrel (the baseline
// server that load starts).
return args switch
{
    ["load", .. var rest] => await LoadRunner.RunAsync(rest),
    ["soak", .. var rest] => await SoakRunner.RunAsync(rest),
    ["kestrel", .. var rest] => await KestrelBaseline.RunAsync(rest),
    ["micro", .. var rest] => Micro(rest),
    _ => Usage(),
};

static int Micro(string[] args)
{
    BenchmarkSwitcher.FromAssembly(typeof(KestrelBaseline).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args);
    return 0;
}

static int Usage()
{
    Console.Error.WriteLine("""
        Usage: dotnet run -c Release --project src/Gateway.Benchmarks -- VERB
          load [options]            end-to-end figures beside bare Kestrel and a C broadcaster; load --help lists the options
          soak [options]            minutes of load with faults; bodies, messages, descriptors and memory are accounted for; soak --help
          micro [--filter PATTERN]  BenchmarkDotNet micro-benchmarks
        """);
    return 2;
}
