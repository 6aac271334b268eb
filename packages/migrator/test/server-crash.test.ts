import { setTimeout as sleep } from 'node:timers/promises'
import { createFleet } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createMigrator, sqlMigration } from '../src/index.ts'
import { on } from './support/fleet.ts'

let cluster: LocalCluster
beforeAll(async () => {
  // A server each: one of them crashes. fsync is on, for the crash loses nothing that was acknowledged.
  cluster = await startLocalCluster({ shards: 2, settings: { fsync: 'on' } })
})
afterAll(() => cluster?.stop())

it('a server that crashes in the middle of a migration leaves nothing half-done, and the next run completes it', async () => {
  const fleet = createFleet({ shards: cluster.shards.map(({ id, url }) => ({ id, url })), Client: pg.Client })
  const migrations = [
    await sqlMigration('0001_first', 'create table first (id int)'),
    await sqlMigration(
      '0002_slow',
      'create table second (id int); insert into second select 1 from pg_sleep(20); create table third (id int)',
    ),
  ]
  const migrator = createMigrator({ fleet, migrations })
  const running = migrator.up({ onFailure: 'continue', waves: ['all'] })
  const sleeping = `select 1 from pg_stat_activity where query like 'insert into second%' and pid <> pg_backend_pid() and wait_event = 'PgSleep'`
  while ((await on(fleet, 'shard-2', sleeping)).length === 0) await sleep(50)
  await cluster.shard('shard-2').kill()
  // The other shard need not sleep on.
  await on(
    fleet,
    'shard-1',
    `select pg_cancel_backend(pid) from pg_stat_activity where query like 'insert into second%' and pid <> pg_backend_pid()`,
  )
  const report = await running
  expect(
    report.steps
      .filter((step) => step.outcome === 'failed')
      .map((step) => step.shard)
      .sort(),
  ).toEqual(['shard-1', 'shard-2'])

  const down = await migrator.status()
  expect(down.shards[1]?.error?.code).toBe('SHARD_UNREACHABLE')
  expect(down.complete).toBe(false)

  await cluster.shard('shard-2').start()
  expect(
    await on(
      fleet,
      'shard-2',
      `select to_regclass('first') is not null as first, to_regclass('second') is not null as second`,
    ),
  ).toEqual([{ first: true, second: false }])
  const fast = await sqlMigration('0002_slow', 'create table second (id int); create table third (id int)')
  expect((await createMigrator({ fleet, migrations: [migrations[0]!, fast] }).up()).outcome).toBe('complete')
  expect(await on(fleet, 'shard-2', `select to_regclass('third') is not null as third`)).toEqual([{ third: true }])
})
