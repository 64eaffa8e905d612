-- The beginning of `elect` and `renew`: which Redis this is and since when, as `now` and `born`.
-- KEYS: lease, term, born, candidate, help.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local born = redis.call('HMGET', KEYS[3], 'run', 'at')
-- If the clock was set back, the quarantine would last as long; so it begins now.
if born[1] ~= run or tonumber(born[2]) > now then
  redis.call('HSET', KEYS[3], 'run', run, 'at', now)
  born[2] = now
end
