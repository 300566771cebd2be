return await Gateway.CommandLine.GatewayCommand.RunAsync(args, Console.Out, Console.Error);
