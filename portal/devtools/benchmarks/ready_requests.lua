-- Tells wrk to send each request of a file once, and to print what came of it as JSON.
-- The file holds, for each request, its length as eight digits, then its bytes.

local file, last

function init(arguments)
  file = assert(io.open(arguments[1], "rb"))
end

function request()
  local length = file:read(8)
  if length then
    last = file:read(tonumber(length))
  else
    wrk.thread:stop()
  end
  return last
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    'RESULT {"answers": %d, "refused": %d, "broken": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f}',
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3
  ))
end
