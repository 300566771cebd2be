using System.Text;
using System.Text.RegularExpressions;
using Gateway.Calls;
using Gateway.Configuration;
using Gateway.Templates;
using Gateway.Tests.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace Gateway.Tests.Guides;

/// <summary>What docs/calls.md says is so.</summary>
public class CallsGuideTests
{
    private static readonly string Guide = File.ReadAllText(SourceTree.PathOf("docs/calls.md"));

    [Fact]
    public void Its_configuration_is_valid()
    {
        var json = Guide.Split("```")[1]["json\n".Length..];
        var configuration = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build();
        var snapshot = new ConfigurationReader([new RequestRules(), new CallRules()]).Read(configuration);
        Assert.Equal(["add", "price"], snapshot.Routes.Keys.Order());
    }

    [Fact]
    public void Its_examples_give_the_frames_they_show()
    {
        var rows = Rows("line", "frame");
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.Equal(Expected(row[1]), Render(row[0].Trim('`').Replace("\\|", "|", StringComparison.Ordinal))));
    }

    [Fact]
    public void It_lists_every_type() =>
        Assert.Equal(FrameCodec.Names.Order(), Rows("type", "takes", "gives").SelectMany(row => row[0].Replace("`", "", StringComparison.Ordinal).Split(' ')).Order());

    [Fact]
    public void It_lists_every_source_of_a_request() =>
        Assert.Equal(
            Enum.GetValues<PlaceholderSource>().Order(),
            Rows("placeholder", "gives").Select(row => Placeholder.Parse(row[0].Trim('`', '{', '}'))!.Source).Order());

    [Fact]
    public void It_lists_every_kind_of_reply_frame() =>
        Assert.Equal(
            Enum.GetValues<ReplyFrameKind>().Order(),
            Rows("placeholder", "is").Select(row => ReplyTemplate.Parse([row[0].Trim('`')], out _)!.Frames[0].Kind).Order());

    private static List<string[]> Rows(params string[] head)
    {
        var lines = Guide.Split('\n');
        var start = Array.IndexOf(lines, $"| {string.Join(" | ", head)} |") + 2;
        return [.. lines.Skip(start).TakeWhile(line => line.StartsWith('|')).Select(line => Regex.Split(line, @"(?<!\\)\|")[1..^1].Select(cell => cell.Trim()).ToArray())];
    }

    private static byte[] Expected(string cell) =>
        cell.StartsWith('`') ? Encoding.UTF8.GetBytes(cell.Trim('`')) : Convert.FromHexString(cell.Replace(" ", "", StringComparison.Ordinal));

    private static byte[] Render(string line)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = "POST";
        context.Request.Path = PathString.FromUriComponent("/api/price/EUR%2FUSD");
        context.Request.QueryString = new QueryString("?n=42");
        context.Request.RouteValues["symbol"] = "EUR/USD";
        context.Request.Headers["X-Tag"] = "blue";
        var (frames, writer) = (new RequestFrames(), new RecordingFrameWriter());
        RequestTemplate.Parse([line], ["symbol"], out _)!.Render(context, new("AQID"u8.ToArray()), bodyFollows: false, parts: null, frames);
        frames.WriteTo(writer);
        return Assert.Single(writer.Frames);
    }
}
