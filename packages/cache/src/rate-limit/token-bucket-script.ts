import { redisScript } from '../redis/redis-script.ts'

/**
 * KEYS bucket. ARGV capacity, tokens per millisecond, tokens wanted, `look` or `take`. One atomic step by the clock of Redis, so
 * that processes need not agree about the time. Returns enough (1 or 0), tokens left, milliseconds until the wanted are there.
 */
export const tokenBucketScript = redisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local capacity, rate, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(bucket[1]) or capacity, tonumber(bucket[2]) or now
-- A clock that went back, as after a failover, refills nothing, and refills again from now on.
tokens = math.min(capacity, tokens + math.max(0, now - at) * rate)
local missing = wanted - tokens
-- The sum of many small refills may lack the last digit of a whole token. It is a share of what is asked for: asked for less than
-- that again and again, an empty bucket would give for ever.
local enough = missing <= wanted * 1e-6
-- Longer than a hundred years is for ever, and past what fits in a number of Redis.
local longest = 3e12
local answer = {enough and 1 or 0, string.format('%.6f', tokens), enough and 0 or math.min(longest, math.ceil(missing / rate))}
if ARGV[4] == 'look' then return answer end
if enough then
  tokens = math.max(0, tokens - wanted)
  answer[2] = string.format('%.6f', tokens)
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.17g', now))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(1, math.min(longest, math.ceil((capacity - tokens) / rate)))))
return answer
`)
