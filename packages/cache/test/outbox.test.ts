import { createFleet, type Fleet } from '@shardwright/core'
import { startLocalCluster } from '@shardwright/local-cluster'
import { type Kysely, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type Cache,
  cached,
  createCache,
  createOutbox,
  createReplicationSource,
  installOutbox,
  installReplication,
  removeOutbox,
  removeReplication,
} from '../src/index.ts'
import { until } from './caches.ts'
import { createWallets, type Database, scopedKysely, walletRepository } from './repository.ts'

let cluster: Awaited<ReturnType<typeof startLocalCluster>>
let fleet: Fleet
let db: Kysely<Database>
const tables = [{ table: 'wallets', id: ['festival_id', 'id'], key: 'festival_id' }]
const id = { festival_id: 'f1', id: '00000000-0000-4000-8000-00000000000a' }
const open: Cache[] = []

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 1, databasePerShard: true })
  db = scopedKysely<Database>(cluster.shards[0]!.url)
  fleet = createFleet({ shards: [{ id: 'shard-1', url: cluster.shards[0]!.url }], Client: pg.Client })
  await sql.raw(createWallets).execute(db)
  await installOutbox(fleet, { namespace: 'shop', tables })
  await installOutbox(fleet, { namespace: 'shop', tables })
})

afterAll(async () => {
  await db?.destroy()
  await cluster?.stop()
})

beforeEach(async () => {
  for (const cache of open.splice(0)) await cache.close()
  await sql`truncate wallets, shardwright_cache_outbox`.execute(db)
  await sql`insert into wallets values (${id.festival_id}, ${id.id}, 10, 1)`.execute(db)
  await sql`delete from shardwright_cache_outbox`.execute(db)
})

async function walletsOf() {
  const cache = await createCache({ namespace: 'shop', outbox: createOutbox({ fleet, pollMs: 20 }) }).ready()
  open.push(cache)
  return cached(walletRepository, { cache, strategy: 'read-through' }).with(db)
}

const outboxRows = async () =>
  (await sql<{ row_id: unknown }>`select row_id from shardwright_cache_outbox order by id`.execute(db)).rows

describe('writes past the library', () => {
  test('are seen: update, bulk update, insert, delete, a changed id, truncate', async () => {
    const wallets = await walletsOf()
    const balance = async () => (await wallets.findById(id))?.balance
    const count = async () => (await wallets.findMany({ festival_id: 'f1' })).length
    expect([await balance(), await count()]).toEqual(['10', 1])
    await sql`update wallets set balance = 11 where id = ${id.id}`.execute(db)
    await until(async () => (await balance()) === '11', 'the update')
    await sql`insert into wallets select 'f1', gen_random_uuid(), 0, 1 from generate_series(1, 1200)`.execute(db)
    await until(async () => (await count()) === 1201, 'the insert')
    await sql`update wallets set festival_id = 'f2' where id = ${id.id}`.execute(db)
    await until(async () => (await balance()) === undefined, 'the move')
    expect((await wallets.findById({ ...id, festival_id: 'f2' }))?.balance).toBe('11')
    await sql`delete from wallets where festival_id = 'f1'`.execute(db)
    await until(async () => (await count()) === 0, 'the delete')
    await sql`truncate wallets`.execute(db)
    await until(async () => (await wallets.findById({ ...id, festival_id: 'f2' })) === undefined, 'the truncate')
    await until(async () => (await outboxRows()).length === 0, 'an empty outbox')
  })

  test('only when committed; two-phase commits work', async () => {
    const client = new pg.Client({ connectionString: cluster.shards[0]!.url })
    await client.connect()
    await client.query('begin')
    await client.query('update wallets set balance = 99')
    await client.query('rollback')
    expect(await outboxRows()).toEqual([])
    await client.query('begin')
    await client.query('update wallets set balance = 12')
    await client.query("prepare transaction 'cache-outbox'")
    expect(await outboxRows()).toEqual([])
    await client.query("commit prepared 'cache-outbox'")
    expect(await outboxRows()).toEqual([{ row_id: id }])
    await client.end()
  })

  test('a delivery that fails leaves its rows, and the next one brings them', async () => {
    const outbox = createOutbox({ fleet, pollMs: 20 })
    const delivered: (readonly string[] | 'everything')[] = []
    let failures = 2
    outbox.register('wallets', (row) => [JSON.stringify(row)])
    outbox.start('shop', async (texts) => {
      if (failures-- > 0) throw new Error('Redis is away')
      delivered.push(texts)
    })
    await sql`update wallets set balance = 13`.execute(db)
    await until(() => delivered.length > 0, 'the delivery')
    expect(delivered).toEqual([[JSON.stringify({ id: id.id, festival_id: 'f1' })]])
    await until(async () => (await outboxRows()).length === 0, 'an empty outbox')
    await outbox.close()
  })

  test('catchUp waits for what another process has taken but not delivered', async () => {
    await sql`update wallets set balance = 14`.execute(db)
    const order: string[] = []
    const first = createOutbox({ fleet, pollMs: 10_000 })
    first.register('wallets', () => ['x'])
    first.start('shop', async () => {
      order.push('taken')
      await new Promise((resolve) => setTimeout(resolve, 200))
      order.push('delivered')
    })
    await until(() => order.length === 1, 'the first drain')
    const second = createOutbox({ fleet, pollMs: 10_000 })
    second.register('wallets', () => ['x'])
    second.start('shop', async () => void order.push('again'))
    await second.catchUp()
    order.push('caught up')
    expect(order).toEqual(['taken', 'delivered', 'caught up'])
    await first.close()
    await second.close()
  })
})

describe('a process that is stopped while it delivers', () => {
  const hang = () => new Promise<void>(() => undefined)

  test('does not keep its rows from the others', async () => {
    await sql`update wallets set balance = 15`.execute(db)
    let taken = false
    const stopped = createOutbox({ fleet, pollMs: 10_000 })
    stopped.register('wallets', () => ['x'])
    stopped.start('shop', async () => {
      taken = true
      await hang()
    })
    await until(() => taken, 'the first drain')
    const delivered: unknown[] = []
    const other = createOutbox({ fleet, pollMs: 20 })
    other.register('wallets', (row) => [String(row.id)])
    other.start('shop', async (texts) => void delivered.push(texts))
    await until(() => delivered.length > 0, 'a delivery by the other')
    expect(delivered).toEqual([[id.id]])
    await other.close()
  })

  test('nor the changes of a replication slot', async () => {
    const namespace = 'stopped'
    await installReplication(fleet, { namespace, tables })
    await sql`update wallets set balance = 16`.execute(db)
    let taken = false
    const stopped = createReplicationSource({ fleet, pollMs: 10_000 })
    stopped.register('wallets', () => ['x'])
    stopped.start(namespace, async () => {
      taken = true
      await hang()
    })
    await until(() => taken, 'the first drain')
    const other = createReplicationSource({ fleet, pollMs: 20 })
    const delivered: unknown[] = []
    other.register('wallets', (row) => [String(row.id)])
    other.start(namespace, async (texts) => void delivered.push(texts))
    await other.catchUp()
    expect(delivered).toEqual([[id.id]])
    await other.close()
    await removeReplication(fleet, { namespace })
  })
})

describe('logical replication instead of triggers', () => {
  const namespace = 'replicated'

  test('the same writes are seen, slots let go of the log, removal removes', async () => {
    await installReplication(fleet, { namespace, tables })
    await installReplication(fleet, { namespace, tables })
    const outbox = createReplicationSource({ fleet, pollMs: 20 })
    const cache = await createCache({ namespace, outbox }).ready()
    open.push(cache)
    const wallets = cached(walletRepository, { cache, strategy: 'read-through' }).with(db)
    const balance = async () => (await wallets.findById(id))?.balance
    const count = async () => (await wallets.findMany({ festival_id: 'f1' })).length
    expect([await balance(), await count()]).toEqual(['10', 1])
    await sql`update wallets set balance = 11 where id = ${id.id}`.execute(db)
    await until(async () => (await balance()) === '11', 'the update')
    await sql`insert into wallets select 'f1', gen_random_uuid(), 0, 1 from generate_series(1, 5000)`.execute(db)
    await until(async () => (await count()) === 5001, 'the insert')
    await sql`update wallets set festival_id = 'f2' where id = ${id.id}`.execute(db)
    await until(async () => (await balance()) === undefined, 'the move')
    expect((await wallets.findById({ ...id, festival_id: 'f2' }))?.balance).toBe('11')
    await sql`delete from wallets where festival_id = 'f1'`.execute(db)
    await until(async () => (await count()) === 0, 'the delete')
    await sql`truncate wallets`.execute(db)
    await until(async () => (await wallets.findById({ ...id, festival_id: 'f2' })) === undefined, 'the truncate')
    await outbox.catchUp()
    const held = await sql<{ bytes: string }>`select pg_current_wal_flush_lsn() - confirmed_flush_lsn as bytes
      from pg_replication_slots where slot_name like 'shardwright_cache_%'`.execute(db)
    expect(Number(held.rows[0]?.bytes)).toBeLessThan(100_000)
    await cache.close()
    await removeReplication(fleet, { namespace })
    expect((await sql`select from pg_replication_slots`.execute(db)).rows).toHaveLength(0)
  })

  test('two processes read one slot; a delivery that fails comes again', async () => {
    await installReplication(fleet, { namespace, tables })
    const delivered: string[] = []
    let failures = 1
    const sources = [1, 2].map(() => {
      const source = createReplicationSource({ fleet, pollMs: 20 })
      source.register('wallets', (row) => [String(row.id)])
      source.start(namespace, async (texts) => {
        if (failures-- > 0) throw new Error('Redis is away')
        delivered.push(...texts)
      })
      return source
    })
    await sql`update wallets set balance = 15`.execute(db)
    await until(() => delivered.length > 0, 'the delivery')
    await Promise.all(sources.map((source) => source.catchUp()))
    expect(delivered).toEqual([id.id])
    for (const source of sources) await source.close()
    await removeReplication(fleet, { namespace })
  })

  test('a table whose deletions would not tell the key is refused', async () => {
    await sql`create table plain (festival_id text, id int)`.execute(db)
    const install = installReplication(fleet, { namespace: 'odd', tables: [{ table: 'plain', id: ['id'] }] })
    await expect(install).rejects.toMatchObject({ code: 'CACHE_OUTBOX_COLUMN' })
  })
})

test('columns that do not match are refused, names are quoted, removal removes', async () => {
  const install = (table: string, columns: string[]) =>
    installOutbox(fleet, { namespace: 'odd', tables: [{ table, id: columns }] })
  await expect(install('wallets', ['nothing'])).rejects.toMatchObject({ code: 'CACHE_OUTBOX_COLUMN' })
  await expect(install('wallets"; drop table wallets; --', ['id'])).rejects.toMatchObject({ code: 'CACHE_OPTIONS' })
  await sql`create table "Odd 'name'" ("the id" int primary key, at timestamptz)`.execute(db)
  await install("Odd 'name'", ['the id'])
  await expect(install("Odd 'name'", ['at'])).rejects.toThrow(/timestamptz/)
  await sql`insert into "Odd 'name'" values (1)`.execute(db)
  expect(await outboxRows()).toEqual([{ row_id: { 'the id': '1' } }])
  await removeOutbox(fleet, { namespace: 'odd', tables: [{ table: "Odd 'name'", id: ['the id'] }] })
  await sql`insert into "Odd 'name'" values (2)`.execute(db)
  expect(await outboxRows()).toHaveLength(1)
})
