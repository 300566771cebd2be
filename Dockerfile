# docker build -t gateway . && docker run -p 8080:8080 -v ./gateway.json:/app/gateway.json gateway
# Without a gateway.json it runs the demo.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
# Packages first: they stay cached until a project or lock file changes.
COPY Directory.Build.props Directory.Packages.props ./
COPY src/Zmtp/Zmtp.csproj src/Zmtp/packages.lock.json src/Zmtp/
COPY src/Gateway/Gateway.csproj src/Gateway/packages.lock.json src/Gateway/
RUN dotnet restore src/Gateway --locked-mode
COPY .editorconfig ./
COPY src/Zmtp src/Zmtp
COPY src/Gateway src/Gateway
RUN dotnet publish src/Gateway --configuration Release --no-restore --output out

FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /source/out .
# In a container the outside is another interface; elsewhere Gateway listens on loopback unless told otherwise.
ENV ASPNETCORE_HTTP_PORTS=8080
EXPOSE 8080
USER $APP_UID
# The image has no curl; bash opens the connection itself.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${ASPNETCORE_HTTP_PORTS} && printf 'GET /health/live HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["dotnet", "Gateway.dll"]
