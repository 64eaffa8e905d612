-- Gives the lease back, and leaves word that nothing of it is under way any more.
-- KEYS: lease, news, help, born. ARGV: who/term, the news, term.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1], KEYS[3])
  redis.call('HSET', KEYS[4], 'released', ARGV[3])
  redis.call('PUBLISH', KEYS[2], ARGV[2])
  return 1
end
return 0
