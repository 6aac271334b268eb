import { redisScript } from './redis-script.ts'

/*
 * An entry has three keys in one slot: the value, the lease of whoever loads it, and the tokens of its last
 * invalidation. Each script is one atomic step of the protocol in docs/protocol.md.
 */

/**
 * KEYS value, lease, tokens. ARGV my lease, its milliseconds, epoch (8 bytes), the fill id that I found not good enough.
 * The epoch sits in bytes 3-10 of a frame and the fill id in bytes 11-22.
 */
export const acquireScript = redisScript(`
local value = redis.call('GET', KEYS[1])
if value and string.sub(value, 3, 10) == ARGV[3] and string.sub(value, 11, 22) ~= ARGV[4] then
  return {'entry', value}
end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return {'lease', redis.call('GET', KEYS[3]) or ''}
end
return {'held', ''}
`)

/** KEYS lease. ARGV my lease, milliseconds. */
export const renewScript = redisScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
`)

/** KEYS value, lease. ARGV my lease, frame, milliseconds to live, '1' to check the lease. */
export const fillScript = redisScript(`
local mine = redis.call('GET', KEYS[2]) == ARGV[1]
if ARGV[4] == '1' and not mine then return 0 end
if mine then redis.call('DEL', KEYS[2]) end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`)

/** KEYS value, lease. ARGV my lease, '1' to remove the value too. */
export const releaseScript = redisScript(`
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
if ARGV[2] == '1' then redis.call('DEL', KEYS[1]) end
return 1
`)

/**
 * KEYS value, lease, tokens of each entry. ARGV tokens, their milliseconds, channel, message ('' publishes nothing).
 * Returns how many subscribers the message went to. The message leaves after the removal, in the same step.
 */
export const invalidateScript = redisScript(`
for i = 1, #KEYS, 3 do
  redis.call('DEL', KEYS[i], KEYS[i + 1])
  if ARGV[1] ~= '' then redis.call('SET', KEYS[i + 2], ARGV[1], 'PX', ARGV[2]) end
end
if ARGV[4] == '' then return 0 end
return redis.call('PUBLISH', ARGV[3], ARGV[4])
`)
