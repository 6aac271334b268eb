import { redisScript } from '../redis/redis-script.ts'

// An ended session stays as an empty text for a while, so that a request that began before cannot bring it back.

/** KEYS session. ARGV data, milliseconds to live. Returns 0 when the session has ended. */
export const storeScript = redisScript(`
if redis.call('GET', KEYS[1]) == '' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`)

/** KEYS session. ARGV milliseconds to live. Returns 0 when there is no session. */
export const touchScript = redisScript(`
if redis.call('STRLEN', KEYS[1]) == 0 then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
`)
