-- Takes the lease if nobody has it. ARGV: who, milliseconds, the greatest term seen, whether to take it, until when by this
-- Redis' clock whoever asks waits for the answer ('' if it does not know that clock).
-- Whoever knows of a greater term tells, since Redis may have forgotten it.
local time = string.format('%.0f', now)
-- A Redis that stood still does then what it was asked long ago, by somebody who has given that up.
if ARGV[5] ~= '' and now > tonumber(ARGV[5]) then
  return { 'late', '', -1, '', time }
end
local known = tonumber(redis.call('GET', KEYS[2]) or '0')
local last = math.max(known, tonumber(ARGV[3]))
if last > known then
  redis.call('SET', KEYS[2], string.format('%.0f', last))
end
local help = redis.call('GET', KEYS[5]) or ''
local held = redis.call('GET', KEYS[1])
if held then
  return { 'held', held, redis.call('PTTL', KEYS[1]), help, time }
end
local young = tonumber(born[2]) + tonumber(ARGV[2]) - now
if young > 0 then
  return { 'young', '', young, help, time }
end
local candidate = redis.call('GET', KEYS[4])
if ARGV[4] ~= '1' or (candidate and candidate ~= ARGV[1]) then
  return { 'free', '', -1, help, time }
end
local clean = last > 0 and redis.call('HGET', KEYS[3], 'released') == string.format('%.0f', last)
local term = last + 1
redis.call('SET', KEYS[2], string.format('%.0f', term))
redis.call('SET', KEYS[1], ARGV[1] .. '/' .. string.format('%.0f', term), 'PX', ARGV[2])
redis.call('DEL', KEYS[4], KEYS[5])
return { 'won', string.format('%.0f', term), clean and 1 or 0, '', time }
