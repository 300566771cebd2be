using Gateway.Telemetry;

namespace Gateway.Devices;

/// <summary>Registers what devices need.</summary>
internal static class DeviceServices
{
    /// <summary>Adds the devices, their endpoints' services and their part of the OpenAPI document.</summary>
    public static IServiceCollection AddDevices(this IServiceCollection services)
    {
        services.AddSingleton<DeviceMetrics>().AddSingleton<DeviceSocketFactory>().AddSingleton<DeviceRegistry>().AddSingleton<TapEndpoint>();
        services.AddSingleton<IDeviceHealth>(static provider => provider.GetRequiredService<DeviceRegistry>());
        services.AddHostedService(static provider => provider.GetRequiredService<DeviceRegistry>());
        services.ConfigureSwaggerGen(static options => options.DocumentFilter<DeviceOperations>());
        return services;
    }
}
