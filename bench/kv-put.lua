-- PUTs of 100 bytes to 1,000 keys, each with another value than the one before.
local turn = 0
local filler = string.rep("x", 88)

function request()
  turn = turn + 1
  return wrk.format("PUT", "/v1/kv/bench/" .. (turn % 1000), nil, string.format("%012d", turn) .. filler)
end
