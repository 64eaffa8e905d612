-- Deletes the lease of its holder, and notes that no request of its term is in flight any more.
-- KEYS: lease, channel, help, born. ARGV: replica/term, the message, term.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1], KEYS[3])
  redis.call('HSET', KEYS[4], 'released', ARGV[3])
  redis.call('PUBLISH', KEYS[2], ARGV[2])
  return 1
end
return 0
