-- Restores facts that Redis has lost, before newer ones; the first replica that knows them does.
-- KEYS: facts, sign-outs, born. ARGV: which Redis this is and since when, most facts, most sign-outs, how many facts, facts from the
-- newest to the oldest, sign-outs from the newest to the oldest.
if redis.call('HGET', KEYS[3], 'words') == ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[3], 'words', ARGV[1])
local facts = tonumber(ARGV[4])
for place = 5, #ARGV do
  redis.call('LPUSH', place - 4 <= facts and KEYS[1] or KEYS[2], ARGV[place])
end
for list = 1, 2 do
  redis.call('LTRIM', KEYS[list], -tonumber(ARGV[1 + list]), -1)
  redis.call('PEXPIRE', KEYS[list], 86400000)
end
return 1
