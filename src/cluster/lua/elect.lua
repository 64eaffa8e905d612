-- Takes the lease if it is free. ARGV: candidate, milliseconds, the greatest term it has seen (Redis may have lost it), whether to
-- take the lease, until when by Redis's clock the candidate waits for the answer ('' if it does not know that clock).
local time = string.format('%.0f', now)
-- A Redis that hung runs old commands when it goes on; no candidate waits for this one any more.
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
