namespace Gateway.Tests.TestSupport;

/// <summary>Texts that are made from code and lie in the repository. With <c>UPDATE_CHECKED_IN=1</c> in the environment a test writes them instead of comparing.</summary>
internal static class CheckedIn
{
    /// <summary>Fails unless the file of the repository has exactly this text.</summary>
    /// <param name="path">From the root of the repository, such as <c>openapi/gateway.schema.json</c>.</param>
    public static void AssertCurrent(string path, string text)
    {
        var file = SourceTree.PathOf(path);
        if (Environment.GetEnvironmentVariable("UPDATE_CHECKED_IN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }

        Assert.True(File.Exists(file), $"{path} is missing. UPDATE_CHECKED_IN=1 ./test.sh writes it.");
        Assert.Equal(text, File.ReadAllText(file));
    }
}
