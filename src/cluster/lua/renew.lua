-- Prolongs the lease of whoever has it. A Redis that has just forgotten everything gives it back to whoever still holds it
-- by its own clock: nobody else can have been given it yet. So does one that lets it run out, to whoever led without it
-- meanwhile, if there was no later term.
-- ARGV: who/term, milliseconds, term, whether to ask for help, who, whether it led on without Redis.
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then
  return { 'lost', '' }
end
if not held then
  local last = redis.call('GET', KEYS[2])
  local own = ARGV[6] == '1' and tonumber(last or '0') <= tonumber(ARGV[3])
    and redis.call('HGET', KEYS[3], 'released') ~= ARGV[3]
  if now >= tonumber(born[2]) + tonumber(ARGV[2]) and not own then
    return { 'lost', '' }
  end
  local term = math.max(tonumber(last or '0'), tonumber(ARGV[3]))
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
