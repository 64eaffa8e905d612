-- Prolongs the lease of whoever has it. A Redis that has just forgotten everything gives it back to whoever still holds it
-- by its own clock: nobody else can have been given it yet.
-- ARGV: who/term, milliseconds, term, whether to ask for help, who.
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
