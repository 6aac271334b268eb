import { type ChildProcess, fork } from 'node:child_process'
import { createCache, redisTier, S3Fifo } from '@shardwright/cache'
import { startLocalCluster } from '@shardwright/local-cluster'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { Cacheable } from 'cacheable'
import { LRUCache } from 'lru-cache'
import { msgpack, readyRedis } from './cache/redis.ts'
import { zipfWithScans } from './cache/zipf.ts'
import { alternate } from './support/alternate.ts'
import type { Bench, BenchResult } from './support/bench-result.ts'
import { median } from './support/median.ts'

const keys = 1_000
const row = (id: number) => ({ id: `w${id}`, festival_id: 'f1', balance: '12.50', version: id, open: true })

/** The cache beside bentocache 1.6 and cacheable 2.5, raw ioredis and lru-cache. */
export const bench: Bench = {
  name: 'cache',
  async run() {
    const results: BenchResult[] = await memoryHits()
    results.push(hitRatio())
    await using cluster = await startLocalCluster({ shards: 1, databasePerShard: true, redis: true })
    results.push(await redisHits(cluster.redis!.url), await coldKey(cluster.redis!.url))
    return results
  },
}

/** Memory hits through the loading call of each, one after another. Higher is better. */
async function memoryHits(): Promise<BenchResult[]> {
  const ours = createCache({ namespace: 'bench' })
  const wallet = ours.wrap(async (id: number) => row(id), { name: 'wallet', tenant: () => 'f1' })
  const bento = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: keys * 2 })) },
  })
  const cacheable = new Cacheable()
  const rateOurs = () => rate((id) => wallet(id))
  const against = (name: string, call: (id: number) => Promise<unknown>) =>
    alternate({ ours: rateOurs, theirs: () => rate(call) }).then(({ ratio, samples }) => ({
      name: `cache-memory-hit-${name}`,
      value: ratio,
      unit: 'x',
      against: `rate of memory hits of ${name}`,
      samples,
    }))
  return [
    await against('bentocache', (id) => bento.getOrSet({ key: `wallet:f1:${id}`, factory: async () => row(id) })),
    await against('cacheable', (id) => cacheable.getOrSet(`wallet:f1:${id}`, async () => row(id))),
  ]
}

async function rate(call: (id: number) => Promise<unknown>): Promise<number> {
  const calls = 60_000
  for (let id = 0; id < keys; id++) await call(id)
  const start = performance.now()
  for (let turn = 0; turn < calls; turn++) await call(turn % keys)
  return calls / (performance.now() - start)
}

/** Hits in Redis alone at concurrency 32, against GET and decode. Higher is better. */
async function redisHits(url: string): Promise<BenchResult> {
  const [client, raw] = [await readyRedis(url), await readyRedis(url)]
  const cache = await createCache({ namespace: 'bench', tiers: [redisTier({ client, budgetMs: 2_000 })] }).ready()
  const wallet = cache.wrap(async (id: number) => row(id), { name: 'wallet', tenant: () => 'f1', ttlMs: 3_600_000 })
  const { pack, unpack } = bindCodec()
  for (let id = 0; id < keys; id++) await raw.set(`raw:${id}`, pack(row(id)))
  const get = async (id: number) => unpack((await raw.getBuffer(`raw:${id}`))!)
  const { ratio, samples } = await alternate({ ours: () => rateAt32(wallet), theirs: () => rateAt32(get) })
  await cache.close()
  client.disconnect()
  raw.disconnect()
  return {
    name: 'cache-redis-hit',
    value: ratio,
    unit: 'x',
    against: 'rate of raw ioredis GET and msgpackr decode at concurrency 32',
    samples,
  }
}

function bindCodec() {
  const codec = msgpack()
  return { pack: (value: unknown) => codec.pack(value), unpack: (bytes: Buffer) => codec.unpack(bytes) }
}

async function rateAt32(call: (id: number) => Promise<unknown>): Promise<number> {
  const calls = 20_000
  for (let id = 0; id < keys; id++) await call(id)
  let turn = 0
  const caller = async () => {
    while (turn < calls) await call(turn++ % keys)
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: 32 }, caller))
  return calls / (performance.now() - start)
}

/** Loads of one cold key that 50 callers in each of 6 processes ask for at once. One is right. */
async function coldKey(url: string): Promise<BenchResult> {
  const workers = await Promise.all(Array.from({ length: 6 }, () => startWorker(url)))
  const loads: number[] = []
  for (let round = 0; round < 5; round++) {
    const counts = await Promise.all(workers.map((worker) => ask(worker, `key-${round}`)))
    loads.push(counts.reduce((sum, count) => sum + count, 0))
  }
  for (const worker of workers) worker.disconnect()
  return {
    name: 'cache-cold-key',
    value: Math.max(...loads),
    unit: 'load',
    against: '300 callers in 6 processes, the most of all rounds',
    samples: loads.length,
  }
}

async function startWorker(url: string): Promise<ChildProcess> {
  const worker = fork(new URL('./cache/cold-worker.ts', import.meta.url), [url, 'bench-cold'], {
    execArgv: ['--conditions=shardwright-source'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  await answer(worker)
  return worker
}

async function ask(worker: ChildProcess, key: string): Promise<number> {
  const loads = answer(worker)
  worker.send(key)
  return (await loads) as number
}

function answer(worker: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('exit', () => reject(new Error('a worker of the cold-key bench ended')))
  })
}

/** Hit ratio of the memory tier's policy under a Zipf load with scans, against lru-cache of the same size. */
function hitRatio(): BenchResult {
  const ratios = [1, 2, 3, 4, 5].map((seed) => {
    const accesses = zipfWithScans(300_000, 20_000, seed)
    const ours = new S3Fifo<true>({ maxEntries: keys, maxWeight: Number.MAX_SAFE_INTEGER })
    const theirs = new LRUCache<string, true>({ max: keys })
    const hits = (cache: { get(key: string): true | undefined }, set: (key: string) => void) =>
      accesses.reduce((count, key) => {
        if (cache.get(key)) return count + 1
        set(key)
        return count
      }, 0)
    return hits(ours, (key) => ours.set(key, true, 1)) / hits(theirs, (key) => theirs.set(key, true))
  })
  return {
    name: 'cache-hit-ratio',
    value: median(ratios),
    unit: 'x',
    against: 'hit ratio of lru-cache under a Zipf load with scans',
    samples: ratios.length,
  }
}
