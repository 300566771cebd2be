using System.Text;
using Gateway.Templates;

namespace Gateway.Tests.Templates;

public class FrameCodecTests
{
    [Theory]
    [InlineData("u8", "255", "ff")]
    [InlineData("i8", "-128", "80")]
    [InlineData("u16le", "258", "0201")]
    [InlineData("u16be", "258", "0102")]
    [InlineData("i16le", "-2", "feff")]
    [InlineData("i16be", "-2", "fffe")]
    [InlineData("u32le", "1", "01000000")]
    [InlineData("u32be", "4294967295", "ffffffff")]
    [InlineData("i32le", "-1", "ffffffff")]
    [InlineData("i32be", "-2147483648", "80000000")]
    [InlineData("u64le", "18446744073709551615", "ffffffffffffffff")]
    [InlineData("u64be", "1", "0000000000000001")]
    [InlineData("i64le", "-9223372036854775808", "0000000000000080")]
    [InlineData("i64be", "1", "0000000000000001")]
    [InlineData("f32le", "1.5", "0000c03f")]
    [InlineData("f32be", "-0.5", "bf000000")]
    [InlineData("f64le", "1e3", "0000000000408f40")]
    [InlineData("f64be", "1.5", "3ff8000000000000")]
    [InlineData("utf8", "é", "c3a9")]
    [InlineData("base64", "", "")]
    [InlineData("base64", "AQID", "010203")]
    [InlineData("base64", "+/8=", "fbff")]
    [InlineData("base64", "-_8", "fbff")]
    [InlineData("hex", "00fFaB", "00ffab")]
    [InlineData("hex", "", "")]
    [InlineData("json", "a\"b\n", "22615c7530303232625c6e22")]
    public void Turns_text_into_bytes(string codec, string text, string expected)
    {
        var output = new PooledBuffer();
        Assert.True(FrameCodec.Find(codec)!.TryEncode(Encoding.UTF8.GetBytes(text), output));
        Assert.Equal(expected, Convert.ToHexStringLower(output.Written));
    }

    [Theory]
    [InlineData("u8", "256")]
    [InlineData("u8", "-1")]
    [InlineData("u8", "")]
    [InlineData("u8", " 1")]
    [InlineData("u8", "1 ")]
    [InlineData("u8", "1.0")]
    [InlineData("u8", "0x1")]
    [InlineData("i32le", "1,000")]
    [InlineData("u64le", "18446744073709551616")]
    [InlineData("f32le", "1e99")]
    [InlineData("f64le", "NaN")]
    [InlineData("f64le", "Infinity")]
    [InlineData("f64le", "1,5")]
    [InlineData("base64", "A")]
    [InlineData("base64", "A?==")]
    [InlineData("hex", "abc")]
    [InlineData("hex", "zz")]
    public void Refuses_text_of_another_type_and_writes_nothing(string codec, string text)
    {
        var output = new PooledBuffer();
        Assert.False(FrameCodec.Find(codec)!.TryEncode(Encoding.UTF8.GetBytes(text), output));
        Assert.Equal(0, output.Length);
    }

    [Theory]
    [InlineData("utf8")]
    [InlineData("json")]
    public void Refuses_bytes_that_are_no_text(string codec) =>
        Assert.False(FrameCodec.Find(codec)!.TryEncode([0xff, 0xfe], new PooledBuffer()));

    [Fact]
    public void Knows_no_type_that_is_not_listed() => Assert.Null(FrameCodec.Find("u24le"));
}
