namespace Gateway.Backends;

/// <summary>Files for what is held back: bodies of slow clients, and replies to them.</summary>
internal static class TemporaryFile
{
    /// <summary>Creates a file by a name nobody can guess, readable by nobody else, gone with its handle.</summary>
    public static FileStream Create()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose | FileOptions.SequentialScan,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(Path.Combine(Path.GetTempPath(), $"gateway-{Guid.NewGuid():N}.spool"), options);
    }
}
