namespace Gateway.Tests;

public class ArchitectureTests
{
    [Fact]
    public void Zmtp_references_neither_Gateway_nor_the_web_framework() =>
        Assert.DoesNotContain(
            typeof(Zmtp.Wire.FramePart).Assembly.GetReferencedAssemblies(),
            assembly => assembly.Name!.StartsWith("Microsoft.", StringComparison.Ordinal) || assembly.Name is "Gateway");
}
