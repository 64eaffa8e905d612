-- Publishes a fact, and keeps it for replicas that start later. KEYS: its list, channel. ARGV: the message, the fact or '', most.
if ARGV[2] ~= '' then
  redis.call('RPUSH', KEYS[1], ARGV[2])
  redis.call('LTRIM', KEYS[1], -tonumber(ARGV[3]), -1)
  redis.call('PEXPIRE', KEYS[1], 86400000)
end
redis.call('PUBLISH', KEYS[2], ARGV[1])
return 1
