-- wrk: POSTs BODY_BYTES bytes and prints one line for the load runner.
wrk.method = "POST"
wrk.body = string.rep("x", tonumber(os.getenv("BODY_BYTES")))
wrk.headers["Content-Type"] = "application/octet-stream"

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("requests %d seconds %.6f p50_us %.1f p99_us %.1f errors %d\n",
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
