import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LocalCluster } from '@shardwright/local-cluster'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createMigrator, defineMigration, sqlMigration } from '../src/index.ts'
import { connectTo, freshFleet, freshShards, on, startServer } from './support/fleet.ts'

let cluster: LocalCluster
beforeAll(async () => {
  cluster = await startServer()
})
afterAll(() => cluster?.stop())

const concurrently = (name: string, statement: string) =>
  sqlMigration(name, `-- shardwright: transaction=false\n${statement}`)

const validity = `select c.relname as name, i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname like 'items_%' order by 1`

it('removes the INVALID index of a failed CREATE INDEX CONCURRENTLY before it tries again', async () => {
  const fleet = await freshFleet(cluster, 2)
  for (const shard of ['shard-1', 'shard-2']) await on(fleet, shard, 'create table items (id int, v int)')
  await on(fleet, 'shard-2', 'insert into items values (1, 1), (2, 1)')
  const migrator = createMigrator({
    fleet,
    migrations: [
      await concurrently('0001_index', 'create unique index concurrently if not exists items_v on items (v)'),
    ],
  })
  const first = await migrator.up({ onFailure: 'continue' })
  expect(first.steps.map((step) => [step.shard, step.outcome])).toEqual([
    ['shard-1', 'done'],
    ['shard-2', 'failed'],
  ])
  expect(await on(fleet, 'shard-2', validity)).toEqual([{ name: 'items_v', valid: false }])
  await on(fleet, 'shard-2', 'delete from items where id = 2')
  expect((await migrator.up()).outcome).toBe('complete')
  expect(await on(fleet, 'shard-2', validity)).toEqual([{ name: 'items_v', valid: true }])
})

it('goes on after the statements that are done, and does not repeat them', async () => {
  const fleet = await freshFleet(cluster, 1)
  await on(fleet, 'shard-1', 'create table items (id int, v int); insert into items values (1, 1), (2, 1)')
  const migration = await concurrently(
    '0001_steps',
    'create index concurrently items_id on items (id); update items set id = id + 10; create unique index concurrently items_v on items (v)',
  )
  const migrator = createMigrator({ fleet, migrations: [migration] })
  expect((await migrator.up()).outcome).toBe('incomplete')
  await expect(migrator.to(null)).rejects.toMatchObject({ code: 'MIGRATION_INTERRUPTED' })
  await on(fleet, 'shard-1', 'update items set v = id')
  expect((await migrator.up()).outcome).toBe('complete')
  expect(await on(fleet, 'shard-1', 'select id from items order by 1')).toEqual([{ id: 11 }, { id: 12 }])
})

it('refuses to go on with a file whose finished statements have changed', async () => {
  const fleet = await freshFleet(cluster, 1)
  await on(fleet, 'shard-1', 'create table items (id int, v int); insert into items values (1, 1), (2, 1)')
  const bad = 'create unique index concurrently items_v on items (v)'
  const run = async (script: string) =>
    createMigrator({ fleet, migrations: [await concurrently('0001_x', script)] }).up()
  expect((await run(`create index concurrently items_id on items (id); ${bad}`)).outcome).toBe('incomplete')
  expect((await run(`create index concurrently items_id on items (id, v); ${bad}`)).steps[0]?.error?.code).toBe(
    'MIGRATION_NOT_RESUMABLE',
  )
})

it('is refused inside a transaction before anything runs, and transactions of the migration itself are kept whole', async () => {
  const fleet = await freshFleet(cluster, 1)
  await on(fleet, 'shard-1', 'create table items (id int)')
  const inside = createMigrator({
    fleet,
    migrations: [await sqlMigration('0001_x', 'create index concurrently items_id on items (id)')],
  })
  await expect(inside.up()).rejects.toMatchObject({ code: 'MIGRATION_UNSAFE' })
  expect((await inside.up({ lint: 'off' })).steps[0]?.error?.code).toBe('NEEDS_NO_TRANSACTION')
  const controls = createMigrator({ fleet, migrations: [await sqlMigration('0001_x', 'commit')] })
  expect((await controls.up({ lint: 'off' })).steps[0]?.error?.code).toBe('TRANSACTION_CONTROL')

  let broken = true
  const own = defineMigration<{ items: { id: number } }>({
    name: '0001_batches',
    transaction: false,
    up: async (db) => {
      await db.transaction().execute(async (trx) => void (await trx.insertInto('items').values({ id: 1 }).execute()))
      await db.transaction().execute(async (trx) => {
        await trx.insertInto('items').values({ id: 2 }).execute()
        if (broken) await sql`select 1/0`.execute(trx)
      })
    },
  })
  const migrator = createMigrator({ fleet, migrations: [own] })
  expect((await migrator.up()).outcome).toBe('incomplete')
  expect(await on(fleet, 'shard-1', 'select id from items')).toEqual([{ id: 1 }])
  broken = false
  expect((await migrator.up()).outcome).toBe('complete')
  expect(await on(fleet, 'shard-1', 'select id from items order by 1')).toEqual([{ id: 1 }, { id: 2 }])
})

it('survives the death of the process in the middle of an index build: the next run completes it', async () => {
  const shards = await freshShards(cluster, 2)
  const { createFleet } = await import('@shardwright/core')
  const { default: pg } = await import('pg')
  const fleet = createFleet({ shards, Client: pg.Client })
  for (const { id } of shards)
    await on(
      fleet,
      id,
      'create table items (id int, v int); insert into items select g, g from generate_series(1, 100) g',
    )
  // An open transaction that has written holds CREATE INDEX CONCURRENTLY in its first phase.
  await using holder = await connectTo(fleet, 'shard-2')
  await holder.query('begin')
  await holder.query('insert into items values (0, 0)')
  const child = spawn(
    process.execPath,
    [
      '--conditions=shardwright-source',
      new URL('./support/index-deployer.ts', import.meta.url).pathname,
      JSON.stringify(shards),
    ],
    { stdio: 'inherit' },
  )
  for (;;) {
    const building = await on(
      fleet,
      'shard-2',
      `select 1 from pg_stat_activity where query ilike 'create index concurrently%' and wait_event_type = 'Lock'`,
    )
    if (building.length > 0) break
    if (child.exitCode !== null) throw new Error('the deployer ended early')
    await sleep(50)
  }
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('exit', resolve))
  // The server notices a dead client only when it next writes to it: a waiting backend is ended by hand, as an operator would.
  await on(
    fleet,
    'shard-2',
    `select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'create index concurrently%' and pid <> pg_backend_pid()`,
  )
  await holder.query('commit')
  const migrator = createMigrator({
    fleet,
    migrations: [await concurrently('0001_index', 'create index concurrently items_v on items (v)')],
    lockWaitMs: 30_000,
  })
  const states = (await migrator.status()).migrations[0]?.shards.map((cell) => cell.state)
  expect(states?.[1]).toBe('running')
  expect((await migrator.up()).outcome).toBe('complete')
  for (const { id } of shards) expect(await on(fleet, id, validity)).toEqual([{ name: 'items_v', valid: true }])
})
