using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace Gateway.Templates;

/// <summary>The type behind the bar of <c>{query:n|u32le}</c>: how text from the web becomes the bytes of a frame.</summary>
/// <param name="Name">As written in a template.</param>
/// <param name="Allowed">Which texts it takes; shown to the caller who sent another.</param>
internal abstract record FrameCodec(string Name, string Allowed)
{
    private static readonly FrameCodec[] All =
    [
        .. Whole<byte>("u8"), .. Whole<sbyte>("i8"), .. Whole<ushort>("u16"), .. Whole<short>("i16"), .. Whole<uint>("u32"),
        .. Whole<int>("i32"), .. Whole<ulong>("u64"), .. Whole<long>("i64"), .. Decimal<float>("f32"), .. Decimal<double>("f64"),
        new Utf8Codec(), new Base64Codec(), new HexCodec(), new JsonCodec(),
    ];

    /// <summary>All names, in the order of the documentation.</summary>
    public static IEnumerable<string> Names => All.Select(codec => codec.Name);

    /// <summary>The codec of that name, or null.</summary>
    public static FrameCodec? Find(string name) => Array.Find(All, codec => codec.Name == name);

    /// <summary>Appends the bytes for a text. Nothing is appended when the text is refused.</summary>
    /// <param name="text">What came from the web, as UTF-8; empty when it was not sent.</param>
    public abstract bool TryEncode(ReadOnlySpan<byte> text, IBufferWriter<byte> output);

    private static IEnumerable<FrameCodec> Whole<T>(string name)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T> =>
        ByteOrders<T>(name, NumberStyles.AllowLeadingSign, $"a whole number from {T.MinValue} to {T.MaxValue}");

    private static IEnumerable<FrameCodec> Decimal<T>(string name)
        where T : unmanaged, INumber<T>, IMinMaxValue<T> =>
        ByteOrders<T>(
            name, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, $"a decimal number such as -1.5e3, up to {T.MaxValue}");

    private static IEnumerable<FrameCodec> ByteOrders<T>(string name, NumberStyles styles, string allowed)
        where T : unmanaged, INumber<T> =>
        Marshal.SizeOf<T>() == 1
            ? [new NumberCodec<T>(name, allowed, styles, BigEndian: false)]
            : [new NumberCodec<T>(name + "le", allowed, styles, BigEndian: false), new NumberCodec<T>(name + "be", allowed, styles, BigEndian: true)];

    private sealed record NumberCodec<T>(string Name, string Allowed, NumberStyles Styles, bool BigEndian) : FrameCodec(Name, Allowed)
        where T : unmanaged, INumber<T>
    {
        public override bool TryEncode(ReadOnlySpan<byte> text, IBufferWriter<byte> output)
        {
            // An exponent that is too large reads as infinity, which is not what was sent.
            if (!T.TryParse(text, Styles, CultureInfo.InvariantCulture, out var number) || !T.IsFinite(number)) return false;
            var size = Marshal.SizeOf<T>();
            var bytes = output.GetSpan(size)[..size];
            MemoryMarshal.Write(bytes, in number);
            if (BigEndian == BitConverter.IsLittleEndian) bytes.Reverse();
            output.Advance(size);
            return true;
        }
    }

    private sealed record Utf8Codec() : FrameCodec("utf8", "text that is valid UTF-8")
    {
        public override bool TryEncode(ReadOnlySpan<byte> text, IBufferWriter<byte> output)
        {
            if (!Utf8.IsValid(text)) return false;
            output.Write(text);
            return true;
        }
    }

    private sealed record Base64Codec() : FrameCodec("base64", "base64 (RFC 4648 section 4, padded) or base64url (section 5)")
    {
        public override bool TryEncode(ReadOnlySpan<byte> text, IBufferWriter<byte> output)
        {
            var bytes = output.GetSpan(Base64.GetMaxDecodedFromUtf8Length(text.Length) + 3);
            if (Base64.DecodeFromUtf8(text, bytes, out _, out var written) != OperationStatus.Done
                && Base64Url.DecodeFromUtf8(text, bytes, out _, out written) != OperationStatus.Done)
            {
                return false;
            }

            output.Advance(written);
            return true;
        }
    }

    private sealed record HexCodec() : FrameCodec("hex", "an even number of hexadecimal digits")
    {
        public override bool TryEncode(ReadOnlySpan<byte> text, IBufferWriter<byte> output)
        {
            var bytes = output.GetSpan((text.Length / 2) + 1);
            if (Convert.FromHexString(text, bytes, out _, out var written) != OperationStatus.Done) return false;
            output.Advance(written);
            return true;
        }
    }

    private sealed record JsonCodec() : FrameCodec("json", "text that is valid UTF-8")
    {
        public override bool TryEncode(ReadOnlySpan<byte> text, IBufferWriter<byte> output)
        {
            if (!Utf8.IsValid(text)) return false;
            output.Write("\""u8);
            output.Write(JsonEncodedText.Encode(text).EncodedUtf8Bytes);
            output.Write("\""u8);
            return true;
        }
    }
}
