// Takes from one bucket as fast as it can for a while: argv: url, name, milliseconds. Prints how many it got.
import { createRateLimiter } from '@shardwright/cache/rate-limit'
import { readyClient } from './redis.ts'

const [url, name, forMs] = process.argv.slice(2) as [string, string, string]
const client = await readyClient(url)
const limiter = createRateLimiter({ client, name, capacity: 20, refill: { tokens: 1, everyMs: 100 }, budgetMs: 5_000 })
const end = Date.now() + Number(forMs)
let taken = 0
while (Date.now() < end) {
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => limiter.take('one')))
  for (const { allowed, decidedBy } of outcomes) {
    if (decidedBy !== 'bucket') throw new Error('Redis was not asked')
    if (allowed) taken += 1
  }
}
process.stdout.write(String(taken))
client.disconnect()
