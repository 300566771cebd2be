namespace Gateway.Tests.TestSupport;

/// <summary>
/// Tests that look at the memory of the whole process, or that load the machine or depend on its pace: nothing runs beside them.
/// </summary>
[CollectionDefinition("Alone", DisableParallelization = true)]
public class Alone;
