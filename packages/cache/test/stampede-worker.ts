import { createCache, memoryTier, redisTier } from '../src/index.ts'
import { patient } from './caches.ts'
import { readyClient } from './redis.ts'

/** One process: told a key, 50 callers ask for it; says when a load begins and what they got. */
const [url, namespace, loadMs] = process.argv.slice(2) as [string, string, string]
const client = await readyClient(url)
const tiers = [memoryTier(), redisTier({ client, ...patient })]
const cache = await createCache({ namespace, tiers, defaults: { leaseMs: 2_000, waitMs: 45_000 } }).ready()

process.on('disconnect', () => process.exit(0))
process.on('message', async (key: string) => {
  const load = async () => {
    process.send!({ type: 'load' })
    await new Promise((resolve) => setTimeout(resolve, Number(loadMs)))
    return `loaded by ${process.pid}`
  }
  const callers = Array.from({ length: 50 }, () => cache.getOrLoad({ name: 'cold', tenant: null, id: key }, load))
  process.send!({ type: 'done', values: [...new Set(await Promise.all(callers))] })
})
process.send!({ type: 'ready' })
