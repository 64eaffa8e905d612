-- Deletes marks that were read, unless they were set again. KEYS: marks. ARGV: mark, number, mark, number …
for place = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[place]) == ARGV[place + 1] then
    redis.call('HDEL', KEYS[1], ARGV[place])
  end
end
return 1
