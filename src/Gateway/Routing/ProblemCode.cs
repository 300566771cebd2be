namespace Gateway.Routing;

/// <summary>Codes that are not tied to a backend's failure; those stand with <see cref="Backends.BackendException"/> and the features.</summary>
internal static class ProblemCode
{
    /// <summary>404: no route has this path.</summary>
    public const string NotFound = "not-found";

    /// <summary>405: the path is known, the method is not; <c>Allow</c> lists what is.</summary>
    public const string MethodNotAllowed = "method-not-allowed";

    /// <summary>400: HTTP that cannot be read.</summary>
    public const string BadRequest = "bad-request";

    /// <summary>413: a body beyond the route's <c>MaxBodySize</c>.</summary>
    public const string RequestTooLarge = "request-too-large";

    /// <summary>408: the body came too slowly.</summary>
    public const string RequestTimeout = "request-timeout";

    /// <summary>507: a body had to be held back, and its temporary file cannot be written.</summary>
    public const string StorageFull = "storage-full";

    /// <summary>500: a defect of the gateway; the log has the stack trace under the trace id.</summary>
    public const string InternalError = "internal-error";
}
