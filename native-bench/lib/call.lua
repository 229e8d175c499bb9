-- The call comes from a file, so does the answer that is due: where one is named, every answer is compared with it.
local function read(name)
  local path = os.getenv(name)
  if path == nil or path == "" then return nil end
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
for name, value in (os.getenv("BENCH_HEADERS") or ""):gmatch("([^:\n]+): ([^\n]+)") do wrk.headers[name] = value end
wrk.body = read("BENCH_BODY_FILE")

local threads = {}
function setup(thread) table.insert(threads, thread) end

wrong = 0
checked = 0
first = ""
local due = read("BENCH_DUE_FILE")
if due ~= nil then
  function response(status, headers, body)
    checked = checked + 1
    if body ~= due then
      wrong = wrong + 1
      if wrong == 1 then first = body:sub(1, 200) end
    end
  end
end

function done(summary, latency)
  local told = { checked = 0, wrong = 0, first = "" }
  for _, thread in ipairs(threads) do
    told.checked = told.checked + thread:get("checked")
    told.wrong = told.wrong + thread:get("wrong")
    if told.first == "" then told.first = thread:get("first") end
  end
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d %d %d %d %d %d %s\n", summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    latency:percentile(99.9), latency.max, e.status, e.connect + e.read + e.write + e.timeout, told.checked, told.wrong, told.first))
end
