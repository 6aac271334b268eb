import { type AnyTopology, defineTopology, inspectKeys, isCitus, locate } from '@shardwright/core'
import {
  type CitusCluster,
  citusAvailability,
  citusFromEnvironment,
  type LocalCluster,
} from '@shardwright/local-cluster'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TransferError, type TransferEvent, transferData } from '../src/index.ts'
import { connectTo, freshShards, on, startServer } from './support/fleet.ts'
import { contents, fill, migrated, schema } from './support/transfer-world.ts'

let cluster: LocalCluster
beforeAll(async () => {
  cluster = await startServer()
})
afterAll(() => cluster?.stop())

type Side = Awaited<ReturnType<typeof migrated>>

async function hashSide(id: string, hash: 'postgres' | 'murmur3', count: number): Promise<Side> {
  const shards = (await freshShards(cluster, count)).map((shard) => ({ id: shard.id, primary: shard.url }))
  const pins = hash === 'postgres' ? [{ family: 'festival', key: 'plain#0', shard: 'shard-1' }] : []
  return await migrated(defineTopology({ id, hash, buckets: 64, shards, pins }))
}

/** Every row is on the shard that owns its key. */
async function strays({ fleet, topology }: Side): Promise<number> {
  if (isCitus(topology)) return 0
  let found = 0
  for (const [shard, entry] of fleet.shards.entries()) {
    await using connection = await entry.connect()
    const types = (await inspectKeys(connection, schema)).byTable
    for (const table of schema.tables) {
      if (table.kind !== 'sharded') continue
      const { rows } = await connection.query<{ key: string }>(`select ${table.key}::text as key from ${table.table}`)
      const { family } = table
      const type = types.get(table.name)!
      found += rows.filter(({ key }) => locate(topology, { family, type, value: key }).shard !== shard).length
    }
  }
  return found
}

const caught = async (work: Promise<unknown>): Promise<TransferError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof TransferError) return error
  throw new Error(`no TransferError but ${error}`)
}

describe('a transfer between hash shards', () => {
  it('brings every row to the shard that owns it under another hash, with partitions, sequences and reference rows', async () => {
    const source = await hashSide('old', 'postgres', 3)
    const target = await hashSide('new', 'murmur3', 2)
    await fill(source, 40)
    const before = await contents(source)
    const report = await transferData({ schema, source, target })
    expect(report.tables.map(({ table }) => table)).toEqual([
      'currencies',
      'wallets',
      'entries',
      'accounts',
      'settings',
    ])
    expect(report.tables.find(({ table }) => table === 'wallets')?.rows).toBe(200n)
    expect(await contents(target)).toEqual(before)
    expect(await strays(target)).toBe(0)
    // Shards have sequences of their own: the furthest of them counts.
    const [{ last }] = (await on<{ last: string }>(
      source.fleet,
      'shard-1',
      'select max(id)::text as last from wallets',
    )) as [{ last: string }]
    const [{ next }] = (await on<{ next: string }>(
      target.fleet,
      'shard-1',
      `select nextval('wallets_id_seq')::text as next`,
    )) as [{ next: string }]
    expect(Number(next)).toBeGreaterThan(Number(last))
    const again = await transferData({ schema, source, target })
    expect(again.tables.every(({ copied }) => copied === 0n)).toBe(true)
  }, 60_000)

  it('goes on where it was stopped, and copies nothing twice', async () => {
    const source = await hashSide('old', 'murmur3', 3)
    const target = await hashSide('new', 'postgres', 2)
    await fill(source, 30)
    const before = await contents(source)
    for (const stopAfter of [1, 4]) {
      const stop = new AbortController()
      let copied = 0
      const onProgress = ({ step }: TransferEvent) => {
        if (step === 'copied' && ++copied === stopAfter) stop.abort(new Error('stopped'))
      }
      const running = transferData({ schema, source, target, concurrency: 1, signal: stop.signal, onProgress })
      await expect(running).rejects.toThrow('stopped')
    }
    // One target shard has refused its rows while the other has them already.
    await on(target.fleet, 'shard-2', 'alter table accounts add constraint never check (id < 0) not valid')
    expect((await caught(transferData({ schema, source, target }))).code).toBe('TRANSFER_FAILED')
    await on(target.fleet, 'shard-2', 'alter table accounts drop constraint never')
    await transferData({ schema, source, target })
    expect(await contents(target)).toEqual(before)
    expect(await strays(target)).toBe(0)
  }, 60_000)

  it('finds a write that came between, and starts over when told', async () => {
    const source = await hashSide('old', 'postgres', 2)
    const target = await hashSide('new', 'murmur3', 2)
    await fill(source, 20)
    let wrote = false
    const write = async () =>
      await on(
        source.fleet,
        'shard-1',
        `update wallets set note = coalesce(note, '') || 'x' where id = (select min(id) from wallets)`,
      )
    const pending: Promise<unknown>[] = []
    const onProgress = ({ step }: TransferEvent) => {
      if (step !== 'copied' || wrote) return
      wrote = true
      pending.push(write())
    }
    await transferData({ schema, source, target, holdWrites: false, onProgress: () => {} })
    await write()
    const error = await caught(transferData({ schema, source, target, holdWrites: false }))
    expect(error).toMatchObject({ code: 'TRANSFER_MISMATCH', details: { table: 'wallets' } })
    const report = await transferData({ schema, source, target, restart: true, onProgress })
    await Promise.all(pending)
    expect(report.tables.find(({ table }) => table === 'wallets')?.copied).toBe(100n)
    // The writer waited for the end: the copy is of before, and the next comparison says so.
    expect((await caught(transferData({ schema, source, target }))).code).toBe('TRANSFER_MISMATCH')
  }, 60_000)

  it('refuses what cannot go well before it writes anything', async () => {
    const source = await hashSide('old', 'postgres', 2)
    const target = await hashSide('new', 'postgres', 2)
    await fill(source, 10)
    expect((await caught(transferData({ schema, source, target: source }))).code).toBe('TRANSFER_SAME_DATABASE')
    await on(target.fleet, 'shard-1', `insert into accounts values (1, 'other')`).catch(() =>
      on(target.fleet, 'shard-2', `insert into accounts values (1, 'other')`),
    )
    expect((await caught(transferData({ schema, source, target }))).code).toBe('TRANSFER_TARGET_NOT_EMPTY')
    await using writer = await connectTo(source.fleet, 'shard-2')
    await writer.query('begin')
    await writer.query('delete from accounts')
    expect((await caught(transferData({ schema, source, target, restart: true, lockTimeoutMs: 200 }))).code).toBe(
      'TRANSFER_SOURCE_BUSY',
    )
    await writer.query('rollback')
    await on(source.fleet, 'shard-1', 'alter table accounts add column extra int')
    const error = await caught(transferData({ schema, source, target }))
    expect(error).toMatchObject({ code: 'TRANSFER_TABLES_DIFFER', details: { table: 'accounts' } })
    await expect(transferData({ schema, source, target, concurrency: 0 })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    })
  }, 60_000)
})

const { available } = await citusAvailability()

describe.skipIf(!available)('a transfer to Citus and back', () => {
  let citus: CitusCluster
  beforeAll(async () => {
    citus = await citusFromEnvironment()
  }, 60_000)
  afterAll(() => citus?.stop())

  it.for(['postgres', 'murmur3'] as const)(
    'from hash shards (%s), and back to others',
    { timeout: 120_000 },
    async (hash) => {
      const source = await hashSide('shards', hash, 3)
      const database = await citus.createDatabase()
      const topology: AnyTopology = defineTopology({ id: 'cluster', ...database.topologyInput() })
      const middle = await migrated(topology)
      await fill(source, 60)
      const before = await contents(source)
      const there = await transferData({ schema, source, target: middle })
      expect(await contents(middle)).toEqual(before)
      const nodes = await on<{ nodes: number }>(
        middle.fleet,
        'coordinator',
        `select count(distinct nodeport)::int as nodes from citus_shards where table_name = 'wallets'::regclass`,
      )
      expect(nodes[0]?.nodes).toBeGreaterThan(1)
      const [{ next }] = (await on<{ next: string }>(
        middle.fleet,
        'coordinator',
        `select nextval('wallets_id_seq')::text as next`,
      )) as [{ next: string }]
      expect(Number(next)).toBeGreaterThan(60)
      const back = await hashSide('back', hash === 'postgres' ? 'murmur3' : 'postgres', 2)
      const returned = await transferData({ schema, source: middle, target: back })
      expect(await contents(back)).toEqual(before)
      expect(await strays(back)).toBe(0)
      expect(returned.tables.map(({ table, rows, checksum }) => [table, rows, checksum])).toEqual(
        there.tables.map(({ table, rows, checksum }) => [table, rows, checksum]),
      )
    },
  )

  it('goes on after a stop, and starts over on a cluster that has rows', async () => {
    const source = await hashSide('shards', 'postgres', 2)
    const database = await citus.createDatabase()
    const target = await migrated(defineTopology({ id: 'cluster', ...database.topologyInput() }))
    await fill(source, 30)
    const stop = new AbortController()
    const onProgress = ({ step, ...event }: TransferEvent) => {
      if (step === 'copied' && 'table' in event && event.table === 'wallets') stop.abort(new Error('stopped'))
    }
    await expect(
      transferData({ schema, source, target, signal: stop.signal, concurrency: 1, onProgress }),
    ).rejects.toThrow('stopped')
    const steps: TransferEvent[] = []
    await transferData({ schema, source, target, onProgress: (event) => steps.push(event) })
    expect(steps.filter(({ step }) => step === 'skipped').length).toBeGreaterThanOrEqual(2)
    const before = await contents(source)
    expect(await contents(target)).toEqual(before)
    await on(target.fleet, 'coordinator', `delete from entries where festival = (select min(festival) from entries)`)
    expect((await caught(transferData({ schema, source, target }))).code).toBe('TRANSFER_MISMATCH')
    await transferData({ schema, source, target, restart: true })
    expect(await contents(target)).toEqual(before)
    await on(target.fleet, 'coordinator', `select undistribute_table('accounts')`)
    expect((await caught(transferData({ schema, source, target }))).code).toBe('TRANSFER_TABLES_DIFFER')
  }, 120_000)
})
