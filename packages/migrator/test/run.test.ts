import { setTimeout as sleep } from 'node:timers/promises'
import { createFleet } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import { type Generated, sql } from 'kysely'
import type { MigrationProvider } from 'kysely/migration'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assertComplete, createMigrator, defineMigration, type Migration, sqlMigration } from '../src/index.ts'
import { connectTo, freshFleet, freshShards, on, startServer } from './support/fleet.ts'

let cluster: LocalCluster
beforeAll(async () => {
  cluster = await startServer()
})
afterAll(() => cluster?.stop())

const create = (table: string, name: string): Promise<Migration> =>
  sqlMigration(
    name,
    `-- shardwright: up\ncreate table ${table} (id int primary key, v text);\n-- shardwright: down\ndrop table ${table};`,
  )

describe('up and down', () => {
  it('applies in name order on every shard, records who and what, and has nothing to do the second time', async () => {
    const fleet = await freshFleet(cluster, 3)
    const migrations = [await create('b', '0002_b'), await create('a', '0001_a')]
    const migrator = createMigrator({ fleet, migrations, appliedBy: 'tester' })
    const report = await migrator.up()
    expect(report.outcome).toBe('complete')
    expect(report.steps.map((step) => step.migration)).toEqual([...Array(3).fill('0001_a'), ...Array(3).fill('0002_b')])
    const rows = await on(
      fleet,
      'shard-2',
      'select name, state, applied_by, tool_version, duration_ms >= 0 as timed from shardwright.migrations order by 1',
    )
    expect(rows).toEqual([
      { name: '0001_a', state: 'applied', applied_by: 'tester', tool_version: '0.1.0', timed: true },
      { name: '0002_b', state: 'applied', applied_by: 'tester', tool_version: '0.1.0', timed: true },
    ])
    expect((await migrator.up()).outcome).toBe('unchanged')
    expect((await migrator.status()).complete).toBe(true)
  })

  it('goes down, to a name, to nothing, and redoes', async () => {
    const fleet = await freshFleet(cluster, 2)
    const migrations = [await create('a', '0001_a'), await create('b', '0002_b'), await create('c', '0003_c')]
    const migrator = createMigrator({ fleet, migrations })
    await migrator.up()
    expect((await migrator.down()).steps.map((step) => step.migration)).toEqual(['0003_c', '0003_c'])
    expect((await migrator.status()).shards.map((shard) => shard.at)).toEqual(['0002_b', '0002_b'])
    await migrator.to('0001_a')
    expect(await on(fleet, 'shard-1', `select to_regclass('b') as b, to_regclass('a')::text as a`)).toEqual([
      { b: null, a: 'a' },
    ])
    const redone = await migrator.redo()
    expect(redone.steps.map((step) => `${step.direction} ${step.migration}`)).toEqual([
      'down 0001_a',
      'down 0001_a',
      'up 0001_a',
      'up 0001_a',
    ])
    await migrator.to('0003_c')
    expect((await migrator.status()).complete).toBe(true)
    await migrator.to(null)
    expect(await on(fleet, 'shard-2', 'select name from shardwright.migrations')).toEqual([])
  })

  it('rolls a failed migration back whole, keeps its error, and runs only what is left', async () => {
    const fleet = await freshFleet(cluster, 8)
    for (const shard of ['shard-2', 'shard-5', 'shard-7']) await on(fleet, shard, 'create table clash ()')
    const migrations = [
      await create('a', '0001_a'),
      await sqlMigration('0002_clash', 'create table before_clash (id int); create table clash (id int)'),
      await create('c', '0003_c'),
    ]
    const migrator = createMigrator({ fleet, migrations })
    const first = await migrator.up({ onFailure: 'continue' })
    expect(first.outcome).toBe('incomplete')
    expect(first.steps.filter((step) => step.outcome === 'failed').map((step) => step.shard)).toEqual([
      'shard-2',
      'shard-5',
      'shard-7',
    ])
    expect(
      first.steps.filter((step) => step.migration === '0003_c').every((step) => step.outcome === 'not-started'),
    ).toBe(true)
    expect(first.reason).toBe('0002_clash failed on shard-2, shard-5, shard-7')
    expect(() => assertComplete(first)).toThrow(expect.objectContaining({ code: 'FLEET_INCOMPLETE' }))
    expect(await on(fleet, 'shard-2', `select to_regclass('before_clash') as t`)).toEqual([{ t: null }])
    const status = await migrator.status()
    const cells = status.migrations.find((migration) => migration.name === '0002_clash')?.shards
    expect(cells?.filter((cell) => cell.state === 'failed').map((cell) => cell.shard)).toEqual([
      'shard-2',
      'shard-5',
      'shard-7',
    ])
    expect(cells?.find((cell) => cell.shard === 'shard-2')?.row?.error).toMatch(/^42P07: .*clash/)

    // Nobody goes to n+1 while n is incomplete, also when asked shard by shard.
    const alone = await migrator.up({ shards: ['shard-1'] })
    expect(alone.outcome).toBe('incomplete')
    expect(alone.reason).toBe('0003_c waits for shard-2, shard-5, shard-7')
    const told = await migrator.up({ shards: ['shard-1'], allowAhead: true })
    expect(told.steps).toMatchObject([{ migration: '0003_c', shard: 'shard-1', outcome: 'done' }])

    for (const shard of ['shard-2', 'shard-5', 'shard-7']) await on(fleet, shard, 'drop table clash')
    const second = await migrator.up()
    expect(second.outcome).toBe('complete')
    expect(second.steps.filter((step) => step.migration === '0002_clash').map((step) => step.shard)).toEqual([
      'shard-2',
      'shard-5',
      'shard-7',
    ])
    expect(second.steps.filter((step) => step.migration === '0003_c')).toHaveLength(7)
    expect((await migrator.status()).complete).toBe(true)
  })

  it('stops at the first failure by default: shards that wait are not started', async () => {
    const fleet = await freshFleet(cluster, 6)
    await on(fleet, 'shard-2', 'create table a ()')
    const migrator = createMigrator({ fleet, migrations: [await create('a', '0001_a')] })
    const report = await migrator.up({ concurrency: 1 })
    expect(report.steps.map((step) => step.outcome)).toEqual(['done', 'failed', ...Array(4).fill('not-started')])
  })

  it('goes in waves, asks between them and can end there', async () => {
    const fleet = await freshFleet(cluster, 8)
    const migrator = createMigrator({ fleet, migrations: [await create('a', '0001_a')] })
    const asked: number[] = []
    const report = await migrator.up({
      waves: [1, '25%', 'all'],
      betweenWaves: async ({ done }) => {
        asked.push(done)
        return done < 2
      },
    })
    expect(asked).toEqual([1, 2])
    expect(report.steps.filter((step) => step.outcome === 'done').map((step) => step.shard)).toEqual([
      'shard-1',
      'shard-2',
    ])
    expect(report.reason).toBe('stopped between two waves of 0001_a')
    expect((await migrator.up()).steps).toHaveLength(6)
  })

  it('a shard that is down stops the run before it starts, or is left out and keeps n+1 back', async () => {
    const shards = await freshShards(cluster, 3)
    const gone = { id: 'shard-4', url: 'postgres://nobody:secret-word@127.0.0.1:1/none' }
    const fleet = createFleet({ shards: [...shards, gone], Client: pg.Client, connectTimeoutMs: 5_000 })
    const migrator = createMigrator({ fleet, migrations: [await create('a', '0001_a'), await create('b', '0002_b')] })
    const stopped = await migrator.up()
    expect(stopped).toMatchObject({ outcome: 'incomplete', steps: [], unreachable: [{ shard: 'shard-4' }] })
    const went = await migrator.up({ onFailure: 'continue' })
    expect(went.steps.map((step) => `${step.migration} ${step.outcome}`)).toEqual([
      ...Array(3).fill('0001_a done'),
      ...Array(3).fill('0002_b not-started'),
    ])
    expect(went.reason).toBe('0002_b waits for shard-4')
    await expect(migrator.dryRun()).rejects.toMatchObject({ code: 'FLEET_INCOMPLETE' })
    expect(JSON.stringify([stopped, went, await migrator.status()])).not.toContain('secret-word')
  })
})

describe('history', () => {
  it('refuses edited, missing, late, unknown and irreversible migrations, each with its code', async () => {
    const fleet = await freshFleet(cluster, 1)
    const a = await create('a', '0001_a')
    const c = await create('c', '0003_c')
    await createMigrator({ fleet, migrations: [a, c] }).up()
    const run = (migrations: Migration[]) => createMigrator({ fleet, migrations }).up()
    const edited = await sqlMigration('0001_a', 'create table a (id int primary key, v text, w text)')
    await expect(run([edited, c])).rejects.toMatchObject({ code: 'MIGRATION_CHANGED' })
    await expect(run([c])).rejects.toMatchObject({ code: 'MIGRATION_MISSING' })
    const late = await create('b', '0002_b')
    await expect(run([a, late, c])).rejects.toMatchObject({ code: 'MIGRATION_OUT_OF_ORDER' })
    await expect(run([a, a, c])).rejects.toMatchObject({ code: 'DUPLICATE_MIGRATION' })
    await expect(createMigrator({ fleet, migrations: [a, c] }).to('nope')).rejects.toMatchObject({
      code: 'UNKNOWN_MIGRATION',
    })
    await expect(createMigrator({ fleet, migrations: [a, c] }).up({ shards: ['x'] })).rejects.toMatchObject({
      code: 'UNKNOWN_SHARD',
    })
    const accepted = createMigrator({ fleet, migrations: [edited, c] })
    expect((await accepted.up({ acceptChanged: true })).outcome).toBe('unchanged')
    expect((await accepted.up()).outcome).toBe('unchanged')
    await expect(accepted.to(null)).rejects.toMatchObject({ code: 'MIGRATION_IRREVERSIBLE' })
    expect((await createMigrator({ fleet, migrations: [edited, late, c] }).up({ allowUnordered: true })).outcome).toBe(
      'complete',
    )
  })
})

describe('two deployers', () => {
  it('one runs, the other leaves with a clear word, or waits for it', async () => {
    const fleet = await freshFleet(cluster, 3)
    const slow = defineMigration({
      name: '0001_slow',
      up: async (db) => void (await sql`create table a as select 1 as x from pg_sleep(1.5)`.execute(db)),
    })
    const deployer = (lockWaitMs: number) => createMigrator({ fleet, migrations: [slow], lockWaitMs })
    let running: (() => void) | undefined
    const started = new Promise<void>((resolve) => {
      running = resolve
    })
    const first = deployer(0).up({ onEvent: (event) => event.type === 'started' && running?.() })
    await started
    expect((await deployer(0).status()).shards[0]?.lockedBy?.applicationName).toBe('shardwright-migrator')
    await expect(deployer(0).up()).rejects.toMatchObject({
      code: 'MIGRATION_LOCKED',
      message: expect.stringContaining('shard-1'),
    })
    const second = deployer(60_000).up()
    expect((await first).outcome).toBe('complete')
    expect((await second).outcome).toBe('unchanged')
    expect((await deployer(0).status()).shards[0]?.lockedBy).toBeUndefined()
  })

  it('over different shards shut each other out too, for the one decides by what it knows of the other', async () => {
    const fleet = await freshFleet(cluster, 3)
    const slow = defineMigration({
      name: '0001_slow',
      up: async (db) => void (await sql`create table a as select 1 as x from pg_sleep(1.5)`.execute(db)),
    })
    let running: (() => void) | undefined
    const started = new Promise<void>((resolve) => {
      running = resolve
    })
    const migrator = createMigrator({ fleet, migrations: [slow] })
    const first = migrator.up({ shards: ['shard-2'], onEvent: (event) => event.type === 'started' && running?.() })
    await started
    await expect(migrator.up({ shards: ['shard-3'] })).rejects.toMatchObject({ code: 'MIGRATION_LOCKED' })
    expect((await first).outcome).toBe('complete')
    expect((await migrator.up({ shards: ['shard-3'] })).outcome).toBe('complete')
  })

  it('many at once end in one application of each', async () => {
    const fleet = await freshFleet(cluster, 4)
    const migrations = [await create('a', '0001_a'), await create('b', '0002_b')]
    const reports = await Promise.all(
      Array.from({ length: 5 }, () => createMigrator({ fleet, migrations, lockWaitMs: 60_000 }).up()),
    )
    expect(reports.map((report) => report.outcome).sort()).toEqual(['complete', ...Array(4).fill('unchanged')])
  })
})

describe('locks and timeouts', () => {
  it('gives up a lock it does not get, tries again, and succeeds when the holder is gone', async () => {
    const fleet = await freshFleet(cluster, 1)
    await on(fleet, 'shard-1', 'create table held (id int primary key)')
    await using holder = await connectTo(fleet, 'shard-1')
    await holder.query('begin')
    await holder.query('lock table held in access share mode')
    const migrator = createMigrator({
      fleet,
      migrations: [await sqlMigration('0001_note', 'alter table held add column note text')],
      lockTimeoutMs: 100,
      lockRetries: 50,
    })
    const retries: number[] = []
    const running = migrator.up({ onEvent: (event) => event.type === 'retrying' && retries.push(event.attempt) })
    while (retries.length < 2) await sleep(20)
    await holder.query('commit')
    expect((await running).outcome).toBe('complete')
  })

  it('reports a lock timeout when the retries are used up, and a statement timeout', async () => {
    const fleet = await freshFleet(cluster, 1)
    await on(fleet, 'shard-1', 'create table held (id int primary key)')
    await using holder = await connectTo(fleet, 'shard-1')
    await holder.query('begin')
    await holder.query('lock table held in access share mode')
    const held = createMigrator({
      fleet,
      migrations: [await sqlMigration('0001_note', 'alter table held add column note text')],
      lockTimeoutMs: 50,
      lockRetries: 1,
    })
    expect((await held.up()).steps[0]?.error?.details).toMatchObject({ sqlState: '55P03' })
    const slow = createMigrator({
      fleet,
      migrations: [await sqlMigration('0001_note', '-- shardwright: statement-timeout=50ms\nselect pg_sleep(20)')],
    })
    expect((await slow.up()).steps[0]?.error?.details).toMatchObject({ sqlState: '57014' })
  })
})

describe('dry run', () => {
  it('gives the SQL, shards with the same SQL together, and touches nothing', async () => {
    const fleet = await freshFleet(cluster, 3)
    const perShard = defineMigration({
      name: '0001_named',
      up: async (db, { shardId }) => {
        await db.schema.createTable('t').addColumn('id', 'integer').execute()
        if (shardId === 'shard-3') await sql`comment on table t is 'last'`.execute(db)
      },
    })
    const migrator = createMigrator({ fleet, migrations: [perShard, await create('b', '0002_b')] })
    const steps = await migrator.dryRun()
    expect(steps.map((step) => [step.migration, step.shards])).toEqual([
      ['0001_named', ['shard-1', 'shard-2']],
      ['0001_named', ['shard-3']],
      ['0002_b', ['shard-1', 'shard-2', 'shard-3']],
    ])
    expect(steps[1]?.statements.map((statement) => statement.sql)).toEqual([
      'create table "t" ("id" integer)',
      "comment on table t is 'last'",
    ])
    expect(await on(fleet, 'shard-1', `select to_regclass('shardwright.migrations') as s`)).toEqual([{ s: null }])
  })
})

it('refuses numbers of different width, whose order by name is not the one that is meant', async () => {
  const fleet = await freshFleet(cluster, 1)
  const migrations = [await create('a', '9_a'), await create('b', '10_b')]
  await expect(createMigrator({ fleet, migrations }).up()).rejects.toMatchObject({
    code: 'MIGRATION_OUT_OF_ORDER',
    message: '10_b sorts before 9_a, although its number is the higher one.',
  })
  expect(
    (await createMigrator({ fleet, migrations: [await create('c', '09_c'), await create('d', '10_d')] }).up()).outcome,
  ).toBe('complete')
})

it("takes the provider of Kysely's own migrator", async () => {
  const fleet = await freshFleet(cluster, 2)
  const provider: MigrationProvider = {
    getMigrations: async () => ({
      '0001_a': {
        up: (db) => db.schema.createTable('a').addColumn('id', 'integer').execute(),
        down: (db) => db.schema.dropTable('a').execute(),
      },
    }),
  }
  const migrator = createMigrator({ fleet, migrations: provider })
  expect((await migrator.up()).outcome).toBe('complete')
  expect((await migrator.down()).outcome).toBe('complete')
})

it('creates tables in public also for a user called like our own schema, which "$user" puts first on the path', async () => {
  const shards = await freshShards(cluster, 1)
  const admin = createFleet({ shards, Client: pg.Client })
  await on(admin, 'shard-1', `drop role if exists shardwright; create role shardwright superuser login password 'word'`)
  const url = new URL(shards[0]?.url ?? '')
  url.username = 'shardwright'
  url.password = 'word'
  const fleet = createFleet({ shards: [{ id: 'shard-1', url: url.href }], Client: pg.Client })
  const migrations = [await create('a', '0001_a'), await create('b', '0002_b')]
  expect((await createMigrator({ fleet, migrations }).up()).outcome).toBe('complete')
  const tables = `select relnamespace::regnamespace::text as schema from pg_class where relname in ('a', 'b')`
  expect(await on(admin, 'shard-1', tables)).toEqual([{ schema: 'public' }, { schema: 'public' }])
  await on(
    admin,
    'shard-1',
    'reassign owned by shardwright to current_user; drop owned by shardwright; drop role shardwright',
  )
})

it('needs no right to create schemas when ours is there', async () => {
  const shards = await freshShards(cluster, 1)
  const admin = createFleet({ shards, Client: pg.Client })
  await on(
    admin,
    'shard-1',
    `drop role if exists migration_clerk; create role migration_clerk login password 'clerk'; create schema shardwright;
    grant usage, create on schema shardwright, public to migration_clerk`,
  )
  const url = new URL(shards[0]?.url ?? '')
  url.username = 'migration_clerk'
  url.password = 'clerk'
  const fleet = createFleet({ shards: [{ id: 'shard-1', url: url.href }], Client: pg.Client })
  expect((await createMigrator({ fleet, migrations: [await create('a', '0001_a')] }).up()).outcome).toBe('complete')
  await on(admin, 'shard-1', 'drop owned by migration_clerk; drop role migration_clerk')
})

describe('migrations that read', () => {
  it('run with the true rows, and are read as far as that goes without them', async () => {
    const fleet = await freshFleet(cluster, 1)
    await on(fleet, 'shard-1', 'create table t (id int generated always as identity, v int)')
    const reads = defineMigration<{ t: { id: Generated<number>; v: number } }>({
      name: '0001_reads',
      up: async (db) => {
        const row = await db.insertInto('t').values({ v: 1 }).returning('id').executeTakeFirstOrThrow()
        await db
          .updateTable('t')
          .set({ v: row.id + 41 })
          .where('id', '=', row.id)
          .execute()
      },
    })
    const migrator = createMigrator({ fleet, migrations: [reads] })
    expect(await migrator.dryRun()).toMatchObject([
      { readsRows: true, incomplete: expect.any(String), statements: [{ sql: expect.stringContaining('insert') }] },
    ])
    expect(await migrator.lint()).toMatchObject([{ rule: 'unreadable', severity: 'warning' }])
    expect((await migrator.up()).outcome).toBe('complete')
    expect(await on(fleet, 'shard-1', 'select v from t')).toEqual([{ v: 42 }])
  })

  it('one that fails by itself is refused before anything runs', async () => {
    const fleet = await freshFleet(cluster, 1)
    const broken = defineMigration({
      name: '0001_broken',
      up: () => Promise.reject(new TypeError('undefined is not a function')),
    })
    await expect(createMigrator({ fleet, migrations: [broken] }).up()).rejects.toMatchObject({
      code: 'INVALID_MIGRATION',
      message: expect.stringContaining('undefined is not a function'),
    })
  })
})

describe('a migration and its session', () => {
  it('takes several statements in one text, but no COMMIT among them', async () => {
    const fleet = await freshFleet(cluster, 1)
    const several = (text: string) =>
      createMigrator({
        fleet,
        migrations: [defineMigration({ name: '0001', up: async (db) => void (await sql.raw(text).execute(db)) })],
      }).up({ lint: 'off' })
    expect((await several('create table x (id int); commit; begin')).steps[0]?.error?.code).toBe('TRANSACTION_CONTROL')
    expect((await several('create table x (id int); insert into x values (1); select 1')).outcome).toBe('complete')
  })

  it('leaves no setting, search_path or role behind for the next one', async () => {
    const fleet = await freshFleet(cluster, 1)
    await on(
      fleet,
      'shard-1',
      'drop role if exists migration_guest; create role migration_guest; grant create on schema public to migration_guest',
    )
    const migrations = [
      await sqlMigration(
        '0001',
        `create schema aside; set search_path = aside; set work_mem = '8MB'; set role migration_guest; create table public.of_guest (id int)`,
      ),
      await sqlMigration('0002', 'create table plain (id int)'),
    ]
    const report = await createMigrator({ fleet, migrations }).up()
    expect(report.steps.map((step) => step.error)).toEqual([undefined, undefined])
    expect(
      await on(
        fleet,
        'shard-1',
        `select relname::text, relnamespace::regnamespace::text as schema, relowner::regrole::text = 'migration_guest' as guest from pg_class where relname in ('plain', 'of_guest') order by 1`,
      ),
    ).toEqual([
      { relname: 'of_guest', schema: 'public', guest: true },
      { relname: 'plain', schema: 'public', guest: false },
    ])
    await on(fleet, 'shard-1', 'drop owned by migration_guest; drop role migration_guest')
  })
})
