import { createFleet, type Fleet, noTelemetry } from '@shardwright/core'
import { type Kysely, sql } from 'kysely'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Cache, cached, createCache, createOutbox, installOutbox, memoryTier, redisTier } from '../src/index.ts'
import { freshNamespace, nodeOf, patient, until } from './caches.ts'
import { type RedisFixture, readyClient, redisClient, redisHere, startRedisFixture } from './redis.ts'
import { createWallets, type Database, scopedKysely, walletRepository } from './repository.ts'

const tables = [{ table: 'wallets', id: ['festival_id', 'id'], key: 'festival_id' }]
const walletId = (number: number) => ({ festival_id: `f${number}`, id: '00000000-0000-4000-8000-00000000000a' })

describe.skipIf(!redisHere.available)('beside a process that is silent', () => {
  let fixture: RedisFixture
  let fleet: Fleet
  let db: Kysely<Database>
  let namespace = ''
  const open: { close(): Promise<void> }[] = []

  beforeAll(async () => {
    fixture = await startRedisFixture()
    const { url } = fixture.cluster.shards[0]!
    db = scopedKysely<Database>(url)
    fleet = createFleet({ shards: [{ id: 'shard-1', url }], Client: pg.Client })
    await sql.raw(createWallets).execute(db)
  })
  beforeEach(async () => {
    namespace = freshNamespace()
    await sql`truncate wallets`.execute(db)
    await sql`insert into wallets select 'f' || n, ${walletId(1).id}::uuid, 10, 1 from generate_series(1, 3) n`.execute(
      db,
    )
    await installOutbox(fleet, { namespace, tables })
    await sql`delete from shardwright_cache_outbox`.execute(db)
  })
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close()
  })
  afterAll(async () => {
    await db?.destroy()
    await fixture?.[Symbol.asyncDispose]()
  })

  const node = async () => {
    const outbox = createOutbox({ fleet, pollMs: 20 })
    const cache = await nodeOf(fixture, namespace, { outbox })
    open.push(cache)
    return { cache, outbox, wallets: cached(walletRepository, { cache, strategy: 'read-through' }).with(db) }
  }

  /** Listens as a process does, and never answers: one that is stopped. */
  const silentListener = async () => {
    const client = await readyClient(fixture.redis.url)
    open.push({ close: async () => client.disconnect() })
    await client.subscribe(`{shardwright:${namespace}}:events`)
  }

  test('the next writes past the library are delivered all the same, on a lease of 20 s', async () => {
    const [{ wallets }, other] = [await node(), await node()]
    await silentListener()
    const started = performance.now()
    for (const number of [1, 2, 3]) {
      const balance = async () => (await wallets.findById(walletId(number)))?.balance
      const balanceThere = async () => (await other.wallets.findById(walletId(number)))?.balance
      expect([await balance(), await balanceThere()]).toEqual(['10', '10'])
      await sql`update wallets set balance = 11 where festival_id = ${`f${number}`}`.execute(db)
      await until(async () => (await balance()) === '11' && (await balanceThere()) === '11', `write ${number}`)
    }
    await until(async () => (await outboxRows()) === 0, 'an empty outbox')
    expect(performance.now() - started).toBeLessThan(patient.linkLeaseMs)
  })

  test('an invalidation of many keys waits for it once, not once per message', async () => {
    let silent = 0
    const telemetry = {
      ...noTelemetry,
      count: (name: string, by: number) => {
        if (name === 'shardwright.cache.silent_processes') silent += by
      },
    }
    const tiers = [memoryTier(), redisTier({ client: await fixture.client(), ...patient, linkLeaseMs: 500 })]
    const cache: Cache = await createCache({ namespace, tiers, telemetry }).ready()
    open.push(cache)
    await silentListener()
    const keys = Array.from({ length: 2_000 }, (_, id) => ({ name: 'item', tenant: 't', id }))
    expect(await cache.invalidate(keys)).toBe('done')
    expect(silent).toBe(1)
  })

  test('catchUp returns when every process has dropped its copy, whoever delivered', async () => {
    const nodes = [await node(), await node(), await node()]
    const balances = async () =>
      await Promise.all(nodes.map(async ({ wallets }) => (await wallets.findById(walletId(1)))?.balance))
    for (let version = 1; version <= 60; version++) {
      await balances()
      await sql`update wallets set balance = ${version} where festival_id = 'f1'`.execute(db)
      await nodes[version % 3]!.outbox.catchUp()
      expect(await balances()).toEqual(Array(3).fill(`${version}`))
    }
  })

  test('a process without Redis leaves the rows to others, and does not try again and again', async () => {
    const client = redisClient('redis://127.0.0.1:1')
    let failures = 0
    const telemetry = {
      ...noTelemetry,
      count: (name: string) => {
        if (name === 'shardwright.cache.outbox_failures') failures++
      },
    }
    const outbox = createOutbox({ fleet, pollMs: 10, telemetry })
    const cut = createCache({
      namespace,
      outbox,
      tiers: [memoryTier(), redisTier({ client, linkLeaseMs: 500, invalidateBudgetMs: 500 })],
    })
    cached(walletRepository, { cache: cut, strategy: 'read-through' })
    open.push(cut, { close: async () => client.disconnect() })
    await sql`update wallets set balance = 11`.execute(db)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    await sql`select from shardwright_cache_outbox for update nowait`.execute(db)
    expect([await outboxRows(), failures]).toEqual([3, 0])
  })

  const outboxRows = async () => {
    const { rows } = await sql`select from shardwright_cache_outbox where namespace = ${namespace}`.execute(db)
    return rows.length
  }
})
