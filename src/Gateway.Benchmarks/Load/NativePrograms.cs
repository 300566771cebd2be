using System.Diagnostics;

namespace Gateway.Benchmarks.Load;

/// <summary>The C programs of <c>native/</c>, compiled on the spot into a temporary folder.</summary>
internal sealed class NativePrograms : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-load-");

    /// <exception cref="LoadException">Something to compile or measure with is missing; the message says what to install.</exception>
    public static async Task<NativePrograms> BuildAsync()
    {
        var programs = new NativePrograms();
        try
        {
            if (!IsOnPath("gcc") || !IsOnPath("wrk") || !File.Exists("/usr/include/zmq.h"))
            {
                throw new LoadException("load compiles its peers in C and drives HTTP with wrk: apt-get install gcc libc6-dev libzmq3-dev wrk");
            }

            foreach (var source in Directory.GetFiles(Sources, "*.c")) await programs.CompileAsync(source);
            return programs;
        }
        catch (LoadException)
        {
            programs.Dispose();
            throw;
        }
    }

    public static string Sources => Path.Combine(AppContext.BaseDirectory, "native");

    /// <summary>Folder for generated files; gone with this object.</summary>
    public string Folder => _folder.FullName;

    public string PathOf(string program) => Path.Combine(Folder, program);

    public void Dispose() => _folder.Delete(recursive: true);

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    private async Task CompileAsync(string source)
    {
        var output = PathOf(Path.GetFileNameWithoutExtension(source));
        var start = new ProcessStartInfo("gcc", ["-O2", "-march=native", "-Wall", "-Wextra", "-o", output, source, "-lzmq", "-lpthread"])
        {
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        using var gcc = Process.Start(start)!;
        var errors = await gcc.StandardError.ReadToEndAsync();
        await gcc.WaitForExitAsync();
        if (gcc.ExitCode != 0) throw new LoadException($"gcc {source} failed:\n{errors}");
    }
}
