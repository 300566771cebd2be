using System.Buffers;
using System.IO.Pipelines;
using Gateway.Backends;

namespace Gateway.Templates;

/// <summary>Holds a body back until its end: in memory, and beyond <see cref="MemoryLimit"/> in a temporary file if it may.</summary>
/// <remarks>The owner checks the size before it writes.</remarks>
internal sealed class BodySpool(bool mayUseFile) : IAsyncDisposable
{
    /// <summary>Bytes that stay in memory.</summary>
    public const int MemoryLimit = 1024 * 1024;

    private readonly PooledBuffer _memory = new();
    private FileStream? _file;

    /// <summary>Bytes held.</summary>
    public long Length { get; private set; }

    /// <summary>Appends bytes.</summary>
    public async ValueTask WriteAsync(ReadOnlySequence<byte> bytes)
    {
        if (_file is null && mayUseFile && Length + bytes.Length > MemoryLimit)
        {
            _file = TemporaryFile.Create();
            _file.Write(_memory.Written);
            _memory.Reset();
        }

        foreach (var segment in bytes)
        {
            if (_file is null) _memory.Write(segment.Span);
            else await _file.WriteAsync(segment);
        }

        Length += bytes.Length;
    }

    /// <summary>The bytes, when all are in memory; valid until disposal.</summary>
    public ReadOnlySequence<byte> InMemory() => new(_memory.GetWrittenMemory());

    /// <summary>A reader of the file from its start, or null when all is in memory.</summary>
    public PipeReader? OpenFile()
    {
        if (_file is null) return null;
        _file.Position = 0;
        return PipeReader.Create(_file, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _memory.Reset();
        return _file?.DisposeAsync() ?? default;
    }
}
