-- SPDX-License-Identifier: MIT
-- Requests with many tokens in turn, of which each thread has its share.
-- Arguments: FILE METHOD [BODY]; wrk.mjs puts THREADS before it.
local started = 0

function setup(thread)
  thread:set("number", started)
  started = started + 1
end

local requests, at = {}, 0

function init(args)
  local file, method, body = args[1], args[2], args[3]
  local line = 0
  for token in io.lines(file) do
    if line % THREADS == number then
      local headers = { ["Authorization"] = "Bearer " .. token }
      if body then headers["Content-Type"] = "application/json" end
      requests[#requests + 1] = wrk.format(method, nil, headers, body)
    end
    line = line + 1
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
