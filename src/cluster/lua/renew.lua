-- Extends the lease of its holder. A Redis that has just lost all its data gives it back to a holder whose own clock says
-- that it still holds: within the quarantine no other replica can have been given it.
-- ARGV: replica/term, milliseconds, term, whether to ask for help, replica.
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then
  return { 'lost', '' }
end
if not held then
  local last = redis.call('GET', KEYS[2])
  if now >= tonumber(born[2]) + tonumber(ARGV[2]) then
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
