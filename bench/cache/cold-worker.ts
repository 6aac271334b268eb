import { createCache, memoryTier, redisTier } from '@shardwright/cache'
import { readyRedis } from './redis.ts'

/** One process of the cold-key bench: told a key, 50 callers ask for it; the answer is how many loads ran here. */
const [url, namespace] = process.argv.slice(2) as [string, string]
const client = await readyRedis(url)
const cache = await createCache({ namespace, tiers: [memoryTier(), redisTier({ client, budgetMs: 2_000 })] }).ready()

process.on('disconnect', () => process.exit(0))
process.on('message', async (key: string) => {
  let loads = 0
  const load = async () => {
    loads += 1
    await new Promise((resolve) => setTimeout(resolve, 100))
    return { key }
  }
  await Promise.all(Array.from({ length: 50 }, () => cache.getOrLoad({ name: 'cold', tenant: null, id: key }, load)))
  process.send!(loads)
})
process.send!('ready')
