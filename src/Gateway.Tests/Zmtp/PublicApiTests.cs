using Gateway.Tests.TestSupport;
using Zmtp;

namespace Gateway.Tests.Zmtp;

public class PublicApiTests
{
    [Fact]
    public void What_the_library_shows_to_others_is_what_was_agreed() =>
        CheckedIn.AssertCurrent("src/Zmtp/PublicApi.txt", PublicApi.Describe(typeof(Message).Assembly));
}
