-- Prolongs the lease of whoever has it. A Redis that has just forgotten everything gives it back to whoever still holds it
-- by its own clock: nobody else can have been given it yet.
-- KEYS: lease, term, born, candidate, help. ARGV: who/term, milliseconds, term, whether to ask for help, who.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local born = redis.call('HMGET', KEYS[3], 'run', 'at')
if born[1] ~= run then
  redis.call('HSET', KEYS[3], 'run', run, 'at', now)
  born[2] = now
end
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then
  return { 'lost', '' }
end
if not held then
  if now >= tonumber(born[2]) + tonumber(ARGV[2]) then
    return { 'lost', '' }
  end
  local term = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(ARGV[3]))
  redis.call('SET', KEYS[2], string.format('%.0f', term))
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if ARGV[4] == '1' then
  redis.call('SET', KEYS[5], ARGV[5], 'PX', ARGV[2])
else
  redis.call('DEL', KEYS[5], KEYS[4])
  return { 'kept', '' }
end
return { 'kept', redis.call('GET', KEYS[4]) or '' }
