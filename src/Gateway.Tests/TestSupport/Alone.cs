namespace Gateway.Tests.TestSupport;

/// <summary>Tests that look at the memory of the whole process: nothing runs beside them.</summary>
[CollectionDefinition("Alone", DisableParallelization = true)]
public class Alone;
