-- Takes one token from a bucket, which refills with time and expires once it is full. KEYS: bucket. ARGV: most, milliseconds for one.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local most, every = tonumber(ARGV[1]), tonumber(ARGV[2])
local known = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = most
if known[1] then
  left = math.min(most, tonumber(known[1]) + math.max(0, now - tonumber(known[2])) / every)
end
if left < 0.999999 then
  return 0
end
redis.call('HSET', KEYS[1], 'left', string.format('%.6f', left - 1), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil((most - left + 1) * every))
return 1
