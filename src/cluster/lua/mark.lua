-- Keeps touches until the leader has read what they touch, and tells of them.
-- KEYS: marks, mark-number, news, event, recordings.
-- ARGV: most marks, what stands for everything, news' head, news' tail, event or '', recordings or '', touches …
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
