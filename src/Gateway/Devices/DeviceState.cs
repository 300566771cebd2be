namespace Gateway.Devices;

/// <summary>What a device does.</summary>
internal enum DeviceState
{
    /// <summary>Ended by a person or its control socket; it starts when it is told to.</summary>
    Stopped,

    /// <summary>Messages pass.</summary>
    Running,

    /// <summary>Messages wait.</summary>
    Paused,

    /// <summary>It ends: what was taken is still passed on.</summary>
    Stopping,

    /// <summary>It could not start or has failed; it is tried again.</summary>
    Failed,
}
