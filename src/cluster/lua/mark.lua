-- Keeps marks until the leader has read what they invalidate, and publishes them.
-- KEYS: marks, mark-number, channel, event, recordings.
-- ARGV: most marks, the mark for everything, the message's head, its tail, event or '', recordings or '', marks …
local number = string.format('%.0f', redis.call('INCR', KEYS[2]))
if #ARGV > 6 then
  if redis.call('HLEN', KEYS[1]) + #ARGV - 6 > tonumber(ARGV[1]) then
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], ARGV[2], number)
  else
    for place = 7, #ARGV do
      redis.call('HSET', KEYS[1], ARGV[place], number)
    end
  end
end
if ARGV[5] ~= '' then
  redis.call('SET', KEYS[4], ARGV[5], 'PX', 86400000)
end
if ARGV[6] ~= '' then
  redis.call('SET', KEYS[5], ARGV[6], 'PX', 86400000)
end
redis.call('PUBLISH', KEYS[3], ARGV[3] .. number .. ARGV[4])
return number
