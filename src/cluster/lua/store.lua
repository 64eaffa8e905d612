-- Stores a change of the feed's state and publishes it; for the leader only.
-- KEYS: state, lease, channel. ARGV: replica/term, the head expected ('' for a whole state), the new head, the message, how
-- many fields to delete, those fields, then field, value, field, value …
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 'lost'
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
elseif redis.call('HGET', KEYS[1], 'at') ~= ARGV[2] then
  return 'other'
end
local gone = tonumber(ARGV[5])
for place = 6, 5 + gone do
  redis.call('HDEL', KEYS[1], ARGV[place])
end
for place = 6 + gone, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[place], ARGV[place + 1])
end
redis.call('HSET', KEYS[1], 'at', ARGV[3], 'by', ARGV[1])
redis.call('PUBLISH', KEYS[3], ARGV[4])
return 'drawn'
