import { createRequire } from 'node:module'
import {
  type Cache,
  cached,
  createCache,
  createOutbox,
  memoryTier,
  type RedisClient,
  redisTier,
} from '@shardwright/cache'
import { createFleet, type Repository, type RepositoryTypes } from '@shardwright/core'
import { sql } from 'kysely'
import pg from 'pg'
import { type Database, scopedKysely, walletRepository } from '../../../packages/cache/test/repository.ts'
import {
  type LedgerEvent,
  nowMs,
  type WorkerCommand,
  type WorkerMessage,
  type WorkerPlan,
  walletId,
  walletNumber,
} from './messages.ts'
import { randomOf } from './random.ts'

// ioredis is a dependency of the cache alone; the workspace's root does not see it.
const require = createRequire(new URL('../../../packages/cache/package.json', import.meta.url))
const { Redis } = require('ioredis') as {
  Redis: new (url: string, options: object) => RedisClient & { disconnect(): void }
}

const plan = JSON.parse(process.argv[2]!) as WorkerPlan
const random = randomOf(plan.seed * 1_000 + plan.index)
const events: LedgerEvent[] = []
let running = true
const next = { version: sql<number>`version + 1` }

const client = new Redis(plan.redisUrl, { enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => 50 })
client.on('error', () => undefined)
const db = scopedKysely<Database>(plan.databaseUrl, 8)
const external = new pg.Pool({ connectionString: plan.databaseUrl, max: 1 })
external.on('error', () => undefined)
const fleet = createFleet({ shards: [{ id: 'shard-1', url: plan.databaseUrl }], Client: pg.Client })
const cache: Cache = createCache({
  namespace: plan.namespace,
  tiers: [memoryTier(), redisTier({ client })],
  defaults: { ttlMs: 5_000, staleWhileRevalidateMs: 500, staleIfErrorMs: 0, jitter: 0.3 },
  unsafeWithoutLeases: !plan.leases,
  ...(plan.outbox && { outbox: createOutbox({ fleet, pollMs: plan.pollMs }) }),
})
const { strategy } = plan
const wallets = cached(slow(walletRepository), { cache, strategy, db })

process.on('message', (command: WorkerCommand) => void (command === 'finish' ? finish() : process.exit(0)))
process.on('disconnect', () => process.exit(0))
process.on('unhandledRejection', (error) => {
  send({ type: 'failure', text: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  running = false
})

await cache.ready()
send({ type: 'ready' })
setInterval(flush, 50).unref()
for (let reader = 0; reader < 6; reader++) void loop(read)
for (let writer = 0; writer < 2; writer++) void loop(write)

/** Answers that arrive late are what a stale set needs: the row is read, then it takes its time to come here. */
function slow<R extends RepositoryTypes>(repository: Repository<R>): Repository<R> {
  return {
    ...repository,
    with: (target) => {
      const bound = repository.with(target)
      return {
        findById: async (id) => await delayed(bound.findById(id)),
        findMany: async (filter, options) => await delayed(bound.findMany(filter, options)),
        insert: (row) => bound.insert(row),
        insertMany: (rows) => bound.insertMany(rows),
        update: (id, changes) => bound.update(id, changes),
        upsert: (row) => bound.upsert(row),
        delete: (id) => bound.delete(id),
      }
    },
  }
}

async function delayed<T>(work: Promise<T>): Promise<T> {
  const value = await work
  await pause(random() < 0.3 ? random() * 30 : 0)
  return value
}

async function loop(step: () => Promise<void>): Promise<void> {
  while (running) {
    await step()
    await pause(random() * 4)
  }
}

async function read(): Promise<void> {
  const wallet = Math.floor(random() * plan.wallets)
  const from = nowMs()
  if (random() < 0.2) {
    const rows = await wallets.with(db).findMany({ festival_id: walletId(wallet).festival_id })
    for (const row of rows) seen(row, from, 'list')
    return
  }
  const row = await wallets.with(db).findById(walletId(wallet))
  if (row) seen(row, from, 'row')
  else events.push({ kind: 'read', from, to: nowMs(), wallet, version: 0, through: 'row' })
}

function seen(row: { id: string; version: number; balance: string }, from: number, through: 'row' | 'list'): void {
  const wallet = walletNumber(row.id)
  events.push({ kind: 'read', from, to: nowMs(), wallet, version: row.version, through })
  if (row.balance === '-1') events.push({ kind: 'poison', wallet })
}

async function write(): Promise<void> {
  const wallet = Math.floor(random() * plan.wallets)
  const kind = random()
  if (kind < 0.4) {
    const row = await wallets.with(db).update(walletId(wallet), next)
    if (row) acknowledged(wallet, row.version)
  } else if (kind < 0.6) {
    await writeTwo(wallet)
  } else if (kind < 0.8) {
    await rolledBack(wallet)
  } else if (kind < 0.9) {
    await writeMany(wallet)
  } else if (plan.outbox) {
    await writePast(wallet)
  }
  await pause(random() * 40)
}

/** Two rows in one transaction, in one order so that writers cannot block each other; a savepoint in between. */
async function writeTwo(wallet: number): Promise<void> {
  const pair = [wallet, (wallet + 3) % plan.wallets].sort((a, b) => a - b)
  const versions = await db.transaction().execute(async (trx) => {
    const found: [number, number][] = []
    for (const one of new Set(pair)) {
      const row = await wallets.with(trx).update(walletId(one), next)
      if (row) found.push([one, row.version])
    }
    return found
  })
  for (const [one, version] of versions) acknowledged(one, version)
}

async function rolledBack(wallet: number): Promise<void> {
  const undone = new Error('rolled back on purpose')
  await db
    .transaction()
    .execute(async (trx) => {
      await wallets.with(trx).update(walletId(wallet), { balance: '-1' })
      await pause(random() * 20)
      throw undone
    })
    .catch((error: unknown) => {
      if (error !== undone) throw error
    })
}

/** All rows of a festival in one statement of the application's own, with the keys and the tag it knows. */
async function writeMany(wallet: number): Promise<void> {
  const { festival_id } = walletId(wallet)
  const rows = await db.transaction().execute(async (trx) => {
    const locked = await trx
      .selectFrom('wallets')
      .select('id')
      .where('festival_id', '=', festival_id)
      .orderBy('id')
      .forUpdate()
      .execute()
    const updated = await trx
      .updateTable('wallets')
      .set(next)
      .where('festival_id', '=', festival_id)
      .returningAll()
      .execute()
    const keys = locked.map((row) => ({ name: 'wallets', tenant: festival_id, id: [festival_id, row.id] }))
    await cache.invalidate(keys, { within: trx })
    await cache.invalidateTag(`wallets:${JSON.stringify(festival_id)}`, { within: trx })
    return updated
  })
  for (const row of rows) acknowledged(walletNumber(row.id), row.version)
}

async function writePast(wallet: number): Promise<void> {
  const { festival_id, id } = walletId(wallet)
  const { rows } = await external.query<{ version: number }>(
    'update wallets set version = version + 1 where festival_id = $1 and id = $2 returning version',
    [festival_id, id],
  )
  if (rows[0]) acknowledged(wallet, rows[0].version, true)
}

function acknowledged(wallet: number, version: number, past = false): void {
  events.push({ kind: 'write', at: nowMs(), wallet, version, external: past })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function flush(): void {
  if (events.length > 0) send({ type: 'events', events: events.splice(0) })
}

function send(message: WorkerMessage): void {
  process.send?.(message)
}

/** What everybody reads when all is quiet and the outbox has been drained. */
async function finish(): Promise<void> {
  running = false
  await pause(plan.pollMs * 4 + 1_000)
  const rows = await Promise.all(
    Array.from({ length: plan.wallets }, (_, wallet) => wallets.with(db).findById(walletId(wallet))),
  )
  flush()
  send({ type: 'final', versions: rows.map((row) => row?.version ?? 0), statistics: cache.statistics() })
}
