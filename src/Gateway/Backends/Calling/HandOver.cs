namespace Gateway.Backends.Calling;

/// <summary>How handing a call over to a lane ended, and so whose the call is now.</summary>
internal enum HandOver
{
    /// <summary>Nothing was sent; the call is still the dispatcher's, who may offer it to another lane.</summary>
    NotSent,

    /// <summary>The request is queued; the lane's table holds the call.</summary>
    Sent,

    /// <summary>
    /// Nothing was sent, but somebody took the call out of the table meanwhile (a lost connection, a deadline) and completes it.
    /// </summary>
    TakenOver,
}

/// <summary>How a call ended, for its circuit.</summary>
internal enum CallEnd
{
    /// <summary>The whole reply came.</summary>
    Answered,

    /// <summary>No reply came in time.</summary>
    TimedOut,

    /// <summary>
    /// Anything that says nothing about how quickly the peer answers: its client left, the connection was lost, the upload broke off.
    /// </summary>
    Abandoned,
}
