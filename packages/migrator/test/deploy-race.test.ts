import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFleet, type Fleet } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createMigrator, readMigrationFolder } from '../src/index.ts'
import { connectTo, freshShards, on, startServer } from './support/fleet.ts'

const folder = new URL('./migrations', import.meta.url).pathname

let cluster: LocalCluster
beforeAll(async () => {
  cluster = await startServer()
})
afterAll(() => cluster?.stop())

interface Deployer {
  readonly process: ChildProcess
  readonly lines: string[]
  readonly ended: Promise<unknown>
}

function deploy(shards: readonly { id: string; url: string }[], lockWaitMs: number): Deployer {
  const script = new URL('./support/deployer.ts', import.meta.url).pathname
  const child = spawn(
    process.execPath,
    ['--conditions=shardwright-source', script, JSON.stringify({ shards, folder, lockWaitMs })],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const lines: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(...text.split('\n').filter(Boolean)))
  return { process: child, lines, ended: once(child, 'close') }
}

/** What the schema really is, against what the status says of it. */
async function expectStatusToBeTrue(fleet: Fleet): Promise<void> {
  const status = await createMigrator({ fleet, migrations: folder }).status()
  for (const { id } of fleet.shards) {
    const [real] = await on<Record<string, boolean>>(
      fleet,
      id,
      `select to_regclass('items') is not null as "0001_items",
         coalesce((select indisvalid from pg_index where indexrelid = to_regclass('items_v')), false) as "0002_index",
         to_regclass('before_clash') is not null as "0003_clash", to_regclass('last') is not null as "0004_last"`,
    )
    for (const migration of status.migrations) {
      const state = migration.shards.find((cell) => cell.shard === id)?.state
      if (state === 'running') continue // half-way is what it says
      expect(`${id} ${migration.name} ${real?.[migration.name]}`).toBe(`${id} ${migration.name} ${state === 'applied'}`)
    }
  }
}

it('16 shards, 3 fail midway, one process is killed, two deployers race: the status is true and a second run completes it', async () => {
  const shards = await freshShards(cluster, 16)
  const fleet = createFleet({ shards, Client: pg.Client })
  const clashing = ['shard-3', 'shard-8', 'shard-14']
  for (const shard of clashing) await on(fleet, shard, 'create table clash ()')

  // The first deployer gets stuck in the index build of shard-2 and is killed there.
  await using holder = await connectTo(fleet, 'shard-2')
  await holder.query('begin isolation level repeatable read')
  await holder.query('select 1') // the last phase of CREATE INDEX CONCURRENTLY waits for older snapshots
  const killed = deploy(shards, 0)
  const stuck = `select pid from pg_stat_activity where query ilike 'create index concurrently%' and datname = current_database() and pid <> pg_backend_pid() and wait_event_type = 'Lock'`
  let backends: { pid: number }[] = []
  while (backends.length === 0) {
    backends = await on<{ pid: number }>(fleet, 'shard-2', stuck)
    if (killed.process.exitCode !== null) throw new Error(`the deployer ended early: ${killed.lines}`)
    await sleep(50)
  }
  killed.process.kill('SIGKILL')
  await killed.ended
  for (const { pid } of backends) await on(fleet, 'shard-2', `select pg_terminate_backend(${pid})`)
  await holder.query('commit')
  const halfway = await createMigrator({ fleet, migrations: folder }).status()
  expect(halfway.migrations[1]?.shards[1]?.state).toBe('running')
  await expectStatusToBeTrue(fleet)

  // Two race; 3 shards fail: the others stop before 0004.
  const racers = [deploy(shards, 60_000), deploy(shards, 60_000)]
  await Promise.all(racers.map((racer) => racer.ended))
  for (const racer of racers) expect(JSON.parse(racer.lines.at(-1) ?? '{}')).toMatchObject({ outcome: 'incomplete' })
  const after = await createMigrator({ fleet, migrations: folder }).status()
  expect(after.migrations[2]?.shards.filter((cell) => cell.state === 'failed').map((cell) => cell.shard)).toEqual(
    clashing,
  )
  expect(after.migrations[3]?.shards.every((cell) => cell.state === 'pending')).toBe(true)
  await expectStatusToBeTrue(fleet)
  const started = racers.flatMap((racer) => racer.lines.filter((line) => line.startsWith('0003_clash')))
  const counts = clashing.map((shard) => started.filter((line) => line === `0003_clash ${shard}`).length)
  expect(started.length - counts.reduce((a, b) => a + b, 0)).toBe(13) // each good shard ran it once, by one of the two

  for (const shard of clashing) await on(fleet, shard, 'drop table clash')
  const second = await createMigrator({ fleet, migrations: folder }).up()
  expect(second.outcome).toBe('complete')
  expect(second.steps.filter((step) => step.migration === '0003_clash').map((step) => step.shard)).toEqual(clashing)
  expect((await createMigrator({ fleet, migrations: folder }).status()).complete).toBe(true)
  await expectStatusToBeTrue(fleet)
  expect((await createMigrator({ fleet, migrations: folder }).to(null)).outcome).toBe('complete')
}, 180_000)

it('reads a folder of TypeScript and SQL files, and says what is wrong with one', async () => {
  const migrations = await readMigrationFolder(folder)
  expect(migrations.map((migration) => [migration.name, migration.transaction, migration.down !== undefined])).toEqual([
    ['0001_items', true, true],
    ['0002_index', false, true],
    ['0003_clash', true, true],
    ['0004_last', true, true],
  ])
  expect(migrations[3]).toMatchObject({ lockTimeoutMs: 2_000, statementTimeoutMs: 60_000 })
  await expect(readMigrationFolder('/nonexistent')).rejects.toMatchObject({ code: 'MIGRATION_FOLDER_UNREADABLE' })
  const cases: readonly (readonly [file: string, text: string, message: RegExp])[] = [
    [
      '0001_x.sql',
      'create tabel x (id int)',
      /0001_x does not parse in its up part, line 1: syntax error at or near "tabel"/,
    ],
    [
      '0001_x.sql',
      '-- shardwright: transaction=perhaps\nselect 1',
      /directive that is not understood: "transaction=perhaps"/,
    ],
    ['0001_x.sql', '-- shardwright: frobnicate\nselect 1', /frobnicate/],
    ['0001_x.sql', '-- nothing', /no statement in its up part/],
    ['0001_x.ts', 'export const down = 1', /0001_x is not usable/],
    ['0001_x.ts', 'export const up = (', /cannot be loaded/],
    ['0001 x.sql', 'select 1', /cannot be the name of a migration/],
  ]
  for (const [file, text, message] of cases) {
    const directory = await mkdtemp(path.join(tmpdir(), 'shardwright-migrations-'))
    await writeFile(path.join(directory, file), text)
    await expect(readMigrationFolder(directory)).rejects.toMatchObject({
      code: 'INVALID_MIGRATION',
      message: expect.stringMatching(message),
    })
    await rm(directory, { recursive: true })
  }
})
