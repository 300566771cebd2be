namespace Gateway.Connections;

/// <summary>Tells how much of what a connection sends its client has taken; a feature of the connection.</summary>
internal interface ISendProgress
{
    /// <summary>Bytes that the client's side has taken so far. It grows while a single large send is under way.</summary>
    long TakenBytes { get; }
}
