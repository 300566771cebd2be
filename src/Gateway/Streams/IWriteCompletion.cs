namespace Gateway.Streams;

/// <summary>Told how a write ended that had to wait.</summary>
internal interface IWriteCompletion
{
    /// <summary>The write that was begun last has ended. Any thread.</summary>
    /// <param name="sent">Bytes sent, or -1 when the connection is lost.</param>
    void WriteCompleted(int sent);

    /// <summary><see cref="WriteCompleted"/> has thrown: the connection has to end. Any thread.</summary>
    void CompletionFailed(Exception failure);

    /// <summary>Calls <see cref="CompletionFailed"/>, and never throws.</summary>
    sealed void TryFail(Exception failure)
    {
        try
        {
            CompletionFailed(failure);
        }
#pragma warning disable CA1031 // There is nothing left to try, and above is the end of the process.
        catch (Exception)
#pragma warning restore CA1031
        {
            return;
        }
    }
}
