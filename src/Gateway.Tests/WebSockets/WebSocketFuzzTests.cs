using FsCheck;
using FsCheck.Fluent;
using Gateway.WebSockets;

namespace Gateway.Tests.WebSockets;

public class WebSocketFuzzTests
{
    private const int Inputs = 1_000_000;
    private const int LargestInput = 1024;

    private static readonly WebSocketLimits Limits = new(MaxMessageBytes: 300, MaxFragments: 5);

    [Fact]
    public void Any_bytes_mean_the_same_in_any_pieces() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(5_000).WithReplay(6455, 8441, 100),
            Prop.ForAll<byte[], int[]>((bytes, places) =>
            {
                var cuts = places.Select(place => (int)((uint)place % (bytes.Length + 1))).Order();
                return Transcript.Of(bytes, Limits).Equals(Transcript.Of(bytes, Limits, cuts));
            }));

    [Fact]
    public void Any_text_is_judged_in_pieces_as_it_is_as_a_whole() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(5_000).WithReplay(3629, 2279, 100),
            Prop.ForAll<byte[], string, int>((bytes, text, place) =>
            {
                byte[] mixed = [.. System.Text.Encoding.UTF8.GetBytes(text ?? ""), .. bytes];
                var cut = (int)((uint)place % (mixed.Length + 1));
                var check = default(Utf8Check);
                var valid = check.Append(mixed.AsSpan(0, cut)) && check.Append(mixed.AsSpan(cut)) && check.IsComplete;
                return valid == System.Text.Unicode.Utf8.IsValid(mixed);
            }));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_mask_is_its_own_inverse_and_goes_on_where_it_stopped(int cut)
    {
        const uint Key = 0x3D21FA37;
        var random = new Random(6455);
        for (var length = cut; length < 300; length++)
        {
            var data = new byte[length];
            random.NextBytes(data);
            var expected = data.Select((octet, i) => (byte)(octet ^ (Key >> ((i & 3) * 8)))).ToArray();
            var masked = data.ToArray();
            var next = WebSocketMask.Apply(masked.AsSpan(0, cut), Key);
            WebSocketMask.Apply(masked.AsSpan(cut), next);
            Assert.Equal(expected, masked);
        }
    }

    // Seeds are the small cases of the Autobahn suite; each input is one or two of them, changed in up to four places.
    [Fact]
    public void A_million_mutated_inputs_bring_no_exception_and_the_same_result_in_pieces()
    {
        var seeds = AutobahnCases.All().Where(test => test.IsSmall)
            .Select(test => test.Steps.SelectMany(step => step.Bytes.ToArray()).ToArray()).Where(seed => seed.Length is > 0 and < 400).ToArray();
        var mutator = new Mutator(seeds, new Random(6455));
        var (whole, pieces) = (new byte[LargestInput], new byte[LargestInput]);
        var faults = new int[Enum.GetValues<WebSocketFault>().Length];
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Inputs; i++)
        {
            var length = mutator.Next(whole);
            whole.AsSpan(0, length).CopyTo(pieces);
            var (digest, fault) = Digest(whole.AsSpan(0, length), length);
            var chopped = Digest(pieces.AsSpan(0, length), 1 + (i % 7));
            if (chopped != (digest, fault)) Assert.Fail($"Input {i} is read differently in pieces.");
            faults[(int)fault]++;
        }

        // A parser and the payload of one control frame, twice; never anything on the word of the input.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / Inputs, 0, 1024);
        // The mutations reach every rule but those that these limits exclude: a fuzz that stops at the first octet proves nothing.
        Assert.Equal(
            [WebSocketFault.Masked, WebSocketFault.DataRefused],
            Enum.GetValues<WebSocketFault>().Where(fault => faults[(int)fault] == 0));
    }

    private static (ulong Digest, WebSocketFault Fault) Digest(Span<byte> input, int piece)
    {
        var parser = new WebSocketFrameParser(Limits);
        var (digest, message) = (14_695_981_039_346_656_037UL, 14_695_981_039_346_656_037UL);
        for (var start = 0; start < input.Length; start += piece)
        {
            var rest = input.Slice(start, Math.Min(piece, input.Length - start));
            while (true)
            {
                var step = parser.Next(rest);
                if (step.Kind == WebSocketStepKind.Failed) return (digest, step.Fault);
                if (step.Kind == WebSocketStepKind.NeedMoreData) break;
                if (step.Kind == WebSocketStepKind.Data)
                {
                    message = Mix(message, rest.Slice(step.PayloadStart, step.PayloadLength));
                    if (step.EndOfMessage) digest = (digest ^ message ^ (ulong)step.Opcode) * 1_099_511_628_211UL;
                }
                else
                {
                    digest = Mix(digest ^ (ulong)step.Kind, parser.ControlPayload.Span) ^ (ulong)parser.CloseCode;
                }

                rest = rest[step.Consumed..];
            }
        }

        return (digest, WebSocketFault.None);
    }

    private static ulong Mix(ulong digest, ReadOnlySpan<byte> bytes)
    {
        foreach (var octet in bytes) digest = (digest ^ octet) * 1_099_511_628_211UL;
        return digest;
    }

    private sealed class Mutator(byte[][] seeds, Random random)
    {
        private static readonly byte[] Interesting = [0x00, 0x01, 0x7D, 0x7E, 0x7F, 0x80, 0x81, 0x88, 0x89, 0x8A, 0xFD, 0xFE, 0xFF, 0xC0, 0xED, 0xF4];

        public int Next(Span<byte> destination)
        {
            var first = seeds[random.Next(seeds.Length)];
            first.CopyTo(destination);
            var length = first.Length;
            if (random.Next(2) == 0)
            {
                var second = seeds[random.Next(seeds.Length)];
                length = random.Next(4) == 0 ? random.Next(length + 1) : length;
                second.CopyTo(destination[length..]);
                length += second.Length;
            }

            for (var changes = random.Next(5); changes > 0; changes--) Change(destination[..length], ref length);
            return length;
        }

        private void Change(Span<byte> bytes, ref int length)
        {
            if (bytes.Length == 0) return;
            // Headers are where the rules are, so half of the changes hit the first sixteen bytes.
            var at = random.Next(random.Next(2) == 0 ? Math.Min(bytes.Length, 16) : bytes.Length);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = Interesting[random.Next(Interesting.Length)];
                    break;
                case 2:
                    bytes[(at + 1)..].CopyTo(bytes[at..]);
                    length--;
                    break;
                case 3:
                    length = at;
                    break;
                default:
                    WriteLongLength(bytes[at..]);
                    break;
            }
        }

        // An extended length: of two or eight octets, minimal or not, small or beyond any memory.
        private void WriteLongLength(Span<byte> bytes)
        {
            if (bytes.Length < 10) return;
            bytes[1] = (byte)(random.Next(2) == 0 ? 0xFE : 0xFF);
            random.NextBytes(bytes[2..10]);
            var zeros = random.Next(9);
            bytes.Slice(2, zeros).Clear();
        }
    }
}
