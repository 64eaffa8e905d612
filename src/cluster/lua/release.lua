-- Gives the lease back. KEYS: lease, news, help. ARGV: who/term, the news.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1], KEYS[3])
  redis.call('PUBLISH', KEYS[2], ARGV[2])
  return 1
end
return 0
