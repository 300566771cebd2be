using Samples;

// dotnet run --project samples/dotnet -- reqrep
var samples = new Dictionary<string, Func<Task>>(StringComparer.Ordinal)
{
    ["reqrep"] = RequestReply.RunAsync,
    ["pubsub"] = PublishSubscribe.RunAsync,
    ["pushpull"] = PushPull.RunAsync,
    ["pair"] = Pair.RunAsync,
    ["routerdealer"] = RouterDealer.RunAsync,
    ["array"] = TypedArray.RunAsync,
};
if (args is not [var name] || !samples.TryGetValue(name, out var sample))
{
    Console.Error.WriteLine($"Name one sample: {string.Join(", ", samples.Keys)}.");
    return 2;
}

await sample();
return 0;
