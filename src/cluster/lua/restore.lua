-- Restores facts that Redis has lost, before newer ones; the first replica that knows them does.
-- KEYS: facts, born. ARGV: which Redis this is and since when, most, facts from the newest to the oldest …
if redis.call('HGET', KEYS[2], 'words') == ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[2], 'words', ARGV[1])
for place = 3, #ARGV do
  redis.call('LPUSH', KEYS[1], ARGV[place])
end
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[2]), -1)
redis.call('PEXPIRE', KEYS[1], 86400000)
return 1
