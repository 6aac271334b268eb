import { randomUUID } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { callerTelemetry, createCallerReporter } from '@shardwright/monitor'
import pg from 'pg'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Symptom } from '../src/commands/doctor/check.ts'
import { AppFolder } from './support/app.ts'
import { OlderServer } from './support/older-server.ts'

let app: AppFolder
let cluster: LocalCluster
let sick: LocalCluster
let env: Record<string, string>

beforeAll(async () => {
  app = await AppFolder.make()
  const statements = { shared_preload_libraries: 'pg_stat_statements', fsync: true }
  ;[cluster, sick] = await Promise.all([
    startLocalCluster({ shards: 2, replicasPerShard: 1, settings: statements }),
    startLocalCluster({ shards: 1, databasePerShard: true, settings: sickSettings }),
  ])
  env = Object.fromEntries(cluster.shards.map((shard, index) => [`SHARD_${index + 1}_URL`, shard.url]))
  await app.call(['init', '--yes', '--name', 'clinic'])
  await app.call(['migrate', 'up'], env)
  for (const url of Object.values(env)) await query(url, 'create extension pg_stat_statements')
}, 180_000)
afterAll(async () => {
  await Promise.all([cluster?.stop(), sick?.stop()])
  await app?.remove()
})

const sickSettings = {
  max_prepared_transactions: 0,
  full_page_writes: 'off',
  synchronous_commit: 'off',
  autovacuum: 'off',
  track_counts: 'off',
  max_connections: 16,
}

async function query(url: string | undefined, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('set search_path = public')
  await client.query(text)
  await client.end()
}

async function scalar(url: string, text: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ value: string }>(text)
  await client.end()
  return rows[0]?.value ?? ''
}

interface Examination {
  readonly score: number
  readonly checks: readonly string[]
  readonly symptoms: readonly Symptom[]
}

async function doctor(variables = env): Promise<Examination> {
  const { out } = await app.call(['doctor', '--json'], variables)
  return JSON.parse(out) as Examination
}

const said = ({ symptoms }: Examination) => symptoms.map(({ shard, message }) => `${shard ?? 'fleet'}: ${message}`)

it('a healthy fleet: nothing but advice about the size of the machine, and a score to go with it', async () => {
  const { score, symptoms } = await doctor()
  expect(symptoms.filter(({ check }) => check !== 'sizing' && check !== 'ladder')).toEqual([])
  expect(new Set(symptoms.map(({ severity }) => severity))).toEqual(new Set(symptoms.length > 0 ? ['advice'] : []))
  expect(score).toBeGreaterThanOrEqual(90)
  const { out, code } = await app.call(['doctor'], env)
  expect(code).toBe(0)
  expect(out).toMatch(/^Score (9\d|100) of 100\.\n/)
  expect(out).toMatch(
    /\nFine: servers, settings, migrations, drift, keys, ownership, reference,\npartitions, indexes, lookups, statements/,
  )
})

it('settings: each one under which a promise does not hold', async () => {
  const url = sick.shards[0]?.url ?? ''
  const idle = await Promise.all(
    Array.from({ length: 13 }, async () => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      return client
    }),
  )
  const found = await doctor({ ...env, SHARD_2_URL: url })
  await Promise.all(idle.map((client) => client.end()))
  for (const message of [
    'fsync is off: a crash of the server loses or corrupts data',
    'full_page_writes is off: a crash of the machine can corrupt pages',
    'synchronous_commit is off: acknowledged commits can be lost in a crash',
    'autovacuum is off: dead rows stay and transaction ids run out',
    'max_prepared_transactions is 0: transactions over several shards need two-phase commit',
    'track_counts is off: autovacuum and index statistics do not work',
    '0001_tasks is pending on shard-2',
    'setting max_prepared_transactions is different, compared with shard-1',
    'extension pg_stat_statements is missing, compared with shard-1',
    'table public.tasks is missing, compared with shard-1',
    'pg_stat_statements is not installed: slow statements are not seen',
  ]) {
    expect(found.symptoms.map((symptom) => symptom.message)).toContain(message)
  }
  expect(said(found).join('\n')).toMatch(/shard-2: 1[3-6] of 16 connections are taken/)
  for (const { remedy } of found.symptoms) expect(remedy).not.toBe('')
  expect(found.score).toBe(0)
  // The extension without its library sees nothing either.
  await query(url, 'create extension pg_stat_statements')
  expect(said(await doctor({ ...env, SHARD_2_URL: url }))).toContain(
    'shard-2: pg_stat_statements is not installed: slow statements are not seen',
  )
})

it('callers and disks: what processes report and the configuration states; said to be unseen where nobody does', async () => {
  const telemetry = callerTelemetry()
  const attributes = Object.freeze({ statement: 'SELECT tasks' })
  for (let call = 0; call < 150; call++) telemetry.record('shardwright.router.scatter_shards', 2, attributes)
  const blind = (await app.call(['doctor'], env)).out
  expect(blind).toContain('Not seen: callers (no process reports what it sees: createCallerReporter).')
  expect(blind).toContain('Not seen: disks (the configuration states no sizes: `machines`).')
  expect(blind).not.toMatch(/Fine: [^.]*(callers|disks)/)
  await createCallerReporter({ fleet: cluster.fleet(), telemetry, process: 'web-1/7' }).report()
  const config = await readFile(path.join(app.path, 'shardwright.config.ts'), 'utf8')
  const machines =
    "machines: { 'shard-1': { diskBytes: 2e7, memoryBytes: 64e9, cpus: 8 }, 'shard-2': { diskBytes: 1e15 } },"
  await writeFile(path.join(app.path, 'disks.config.ts'), config.replace('  schema,\n', `  schema,\n  ${machines}\n`))
  const { out } = await app.call(['doctor', '--json', '--config', 'disks.config.ts'], env)
  const { symptoms, unseen } = JSON.parse(out) as Examination & { readonly unseen: readonly unknown[] }
  expect(unseen).toEqual([])
  expect(symptoms.filter(({ check }) => check === 'callers')).toMatchObject([
    {
      severity: 'warning',
      message: expect.stringMatching(/^SELECT tasks went to 2 shards, 150 times lately.*\(web-1\/7, \d s ago\)$/),
    },
  ])
  expect(symptoms.filter(({ check }) => check === 'disks')).toMatchObject([
    {
      severity: 'error',
      shard: 'shard-1',
      message: expect.stringMatching(/^the volume data is \d+ % full, at least$/),
    },
  ])
  expect(symptoms.some(({ shard, message }) => shard === 'shard-1' && /of the machine's 60GB/.test(message))).toBe(true)
  const { out: screen } = await app.call(['monitor', '--config', 'disks.config.ts'], env)
  expect(screen).toMatch(/^shard-1 .* MB \d+%!! /m)
  for (const line of screen.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  await query(env.SHARD_1_URL, 'drop table shardwright.caller_reports')
})

it('servers: prepared transactions, clocks, replicas far behind, versions', async () => {
  const [first, second] = cluster.shards
  await query(first?.url, "begin; insert into plans values ('x', 1); prepare transaction 'forgotten'")
  await query(second?.replicas[0]?.url, 'select pg_wal_replay_pause()')
  await query(
    second?.url,
    "select count(pg_logical_emit_message(false, 'noise', repeat('x', 1000000))) from generate_series(1, 70)",
  )
  const now = Date.now
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + 90_000)
  const found = said(await doctor())
  clock.mockRestore()
  expect(found).toContain('shard-1: 1 prepared transactions wait for their end and hold their locks')
  expect(found.filter((line) => /: its clock is -\d{5} ms off ours$/.test(line))).toHaveLength(2)
  expect(found.filter((line) => / is far behind$/.test(line))).toHaveLength(1)
  await query(first?.url, "rollback prepared 'forgotten'")
  await query(second?.replicas[0]?.url, 'select pg_wal_replay_resume()')
})

it('a server that is too old, among all that a whole examination asks it', async () => {
  const url = env.SHARD_2_URL ?? ''
  const version = await scalar(url, "select current_setting('server_version') as value")
  await using old = await OlderServer.before(url, version, '13.22 (Debian 13.22-1)')
  const { symptoms } = await doctor({ ...env, SHARD_2_URL: old.url })
  expect(symptoms).toContainEqual({
    check: 'servers',
    severity: 'error',
    shard: 'shard-2',
    message: 'PostgreSQL 13.22 is too old: partitions need 14',
    remedy: 'Upgrade the server with pg_upgrade or by logical replication.',
  })
  expect(symptoms.filter(({ severity }) => severity !== 'advice')).toHaveLength(1)
})

it('a shard that is down hides nothing of the others', async () => {
  await query(env.SHARD_1_URL, 'create table stray (a int)')
  await query(env.SHARD_1_URL, "begin; insert into plans values ('x', 1); prepare transaction 'forgotten'")
  const { symptoms } = await doctor({ ...env, SHARD_2_URL: 'postgres://someone:hidden-word@127.0.0.1:1/gone' })
  await query(env.SHARD_1_URL, "rollback prepared 'forgotten'")
  await query(env.SHARD_1_URL, 'drop table stray')
  const said = symptoms.map(({ check, shard, message }) => `${check} ${shard}: ${message}`)
  expect(said).toContain('servers shard-1: 1 prepared transactions wait for their end and hold their locks')
  expect(said).toContain('keys shard-1: public.stray has no placement: the router refuses it')
  for (const check of ['servers', 'settings', 'migrations', 'keys', 'ownership', 'reference']) {
    expect(said.filter((line) => line.startsWith(`${check} shard-2: the check could not be made`))).toHaveLength(1)
  }
  expect(said.some((line) => line.startsWith('drift shard-2:'))).toBe(true)
  expect(said.filter((line) => line.startsWith('migrations'))).toHaveLength(1)
  expect(said.join()).not.toContain('hidden-word')
})

it('migrations: failed with the reason, cut short, changed, and without their file', async () => {
  const folder = path.join(app.path, 'migrations')
  const file = path.join(folder, '0002_more.sql')
  await writeFile(file, 'create table more (id int primary key)')
  await query(env.SHARD_2_URL, 'create table more ()')
  expect((await app.call(['migrate', 'up', '--no-lint', '--continue'], env)).code).toBe(3)
  const about = async () =>
    (await doctor()).symptoms
      .filter(({ check }) => check === 'migrations')
      .map(({ message, remedy }) => [message, remedy])
  expect(await about()).toEqual([
    [
      '0002_more is failed (42P07: relation "more" already exists) on shard-2',
      'Correct the cause, then shardwright migrate up.',
    ],
  ])
  await query(env.SHARD_2_URL, `update shardwright.migrations set state = 'running' where name = '0002_more'`)
  expect(await about()).toEqual([['0002_more is running on shard-2', 'shardwright migrate up']])
  await query(
    env.SHARD_2_URL,
    `drop table more; update shardwright.migrations set state = 'failed' where name = '0002_more'`,
  )
  expect((await app.call(['migrate', 'up', '--no-lint'], env)).code).toBe(0)
  expect(await about()).toEqual([])

  await writeFile(file, 'create table more (id bigint primary key)')
  expect(await about()).toEqual([
    ['0002_more is changed since it was applied on shard-1, shard-2', expect.stringContaining('--accept-changed')],
  ])
  await rm(file)
  expect(await about()).toEqual([
    [
      '0002_more is applied, and its file is not here on shard-1, shard-2',
      'Bring the file back from version control, or deploy from a newer checkout.',
    ],
  ])
  for (const url of Object.values(env)) {
    await query(url, `drop table more; delete from shardwright.migrations where name = '0002_more'`)
  }
})

it('ownership under murmur3, which no server can compute: keys are looked at here, batch by batch', async () => {
  const other = await AppFolder.make()
  try {
    const servers = sick.servers[0]
    const urls = [(await servers?.createDatabase('murmur_1')) ?? '', (await servers?.createDatabase('murmur_2')) ?? '']
    const own = { SHARD_1_URL: urls[0] ?? '', SHARD_2_URL: urls[1] ?? '' }
    await other.call(['init', '--yes', '--name', 'murmur'])
    const file = path.join(other.path, 'shardwright.config.ts')
    await writeFile(file, (await readFile(file, 'utf8')).replace("hash: 'postgres'", "hash: 'murmur3'"))
    const migration = path.join(other.path, 'migrations/0001_tasks.ts')
    await writeFile(migration, (await readFile(migration, 'utf8')).replace('    { ownership: true },\n', ''))
    // A process of its own: this one has loaded the other application's modules.
    expect((await other.run(['migrate', 'up'], own)).code).toBe(0)
    const { defineTopology, locate } = await import('@shardwright/core')
    const topology = defineTopology({
      hash: 'murmur3',
      shards: [
        { id: 'shard-1', primary: own.SHARD_1_URL },
        { id: 'shard-2', primary: own.SHARD_2_URL },
      ],
    })
    const keys = Array.from({ length: 6000 }, () => randomUUID())
    const shardOf = (value: string) => locate(topology, { family: 'user_id', type: 'uuid', value }).shard
    const insert = async (shard: number, users: readonly string[]) =>
      await query(
        urls[shard],
        `insert into tasks select u, gen_random_uuid(), 't', false from unnest('{${users.join(',')}}'::uuid[]) u, generate_series(1, 2)`,
      )
    for (const shard of [0, 1])
      await insert(
        shard,
        keys.filter((key) => shardOf(key) === shard),
      )
    const ownership = async () =>
      (JSON.parse((await other.run(['doctor', '--json'], own)).out) as Examination).symptoms.filter(
        ({ check }) => check === 'ownership',
      )
    expect(await ownership()).toEqual([])
    await insert(1, keys.filter((key) => shardOf(key) === 0).slice(0, 3))
    expect(await ownership()).toMatchObject([
      {
        shard: 'shard-2',
        severity: 'error',
        message: '6 rows of tasks sit here although another shard owns their user_id',
      },
    ])
    await query(urls[0], 'drop table tasks')
    expect(await ownership()).toMatchObject([
      { severity: 'warning', message: 'the shard keys cannot be read, so ownership is not checked' },
    ])
  } finally {
    await other.remove()
  }
})

it('keys, ownership, reference: tables without a place or a key, rows on the wrong shard, copies that differ', async () => {
  const url = env.SHARD_2_URL
  await query(url, 'create table stray (a int)')
  await query(url, 'alter table tasks drop constraint tasks_pkey, drop constraint shardwright_ownership')
  await query(url, 'alter table tasks add primary key (id)')
  await query(
    url,
    "insert into tasks (user_id, id, title, done) select gen_random_uuid(), gen_random_uuid(), 't', false from generate_series(1, 40)",
  )
  await query(url, "update plans set task_limit = 3 where code = 'free'")
  const found = await doctor()
  expect(said(found)).toEqual(
    expect.arrayContaining([
      'shard-2: public.stray has no placement: the router refuses it',
      'shard-2: the primary key of public.tasks leaves out user_id',
      expect.stringMatching(/^shard-2: \d+ rows of tasks sit here although another shard owns their user_id$/),
      'shard-2: its copy of public.plans (2 rows) is not that of shard-1 (2 rows)',
    ]),
  )
  await query(url, 'drop table stray; delete from tasks; alter table tasks drop constraint tasks_pkey')
  await query(
    url,
    "alter table tasks add constraint tasks_pkey primary key (user_id, id); update plans set task_limit = 100 where code = 'free'",
  )
})

it('indexes and statements: unread and missing indexes, whole reads, slow statements', async () => {
  const url = env.SHARD_1_URL
  await query(
    url,
    `create table plan_log (id bigint primary key, code text references plans, note text);
     insert into plan_log select g, 'free', repeat('n', 40) || g from generate_series(1, 150000) g;
     create index plan_log_note on plan_log (note); analyze plan_log;
     do $$ begin for i in 1..101 loop perform id from plan_log limit 1; end loop; end $$;
     select pg_stat_force_next_flush()`,
  )
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (let call = 0; call < 5; call++) await client.query('select pg_sleep(0.21) as slow')
  await client.end()
  const found = said(await doctor())
  expect(found).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^shard-1: nothing has read the index public\.plan_log_note \(\d+ [kM]B\) since/),
      'shard-1: plan_log has no index for its foreign key plan_log_code_fkey',
      expect.stringMatching(/^shard-1: public\.plan_log is read whole: \d+ scans of 150000 rows$/),
      expect.stringMatching(/^shard-1: [2-9]\d\d ms on average, 5 times: select pg_sleep\(\$1\) as slow$/),
    ]),
  )
  await query(url, 'drop table plan_log; select pg_stat_statements_reset()')
})

it('partitions: what is due, what fails, what waits in DEFAULT', async () => {
  const file = path.join(app.path, 'shardwright.config.ts')
  const config = await readFile(file, 'utf8')
  const policy = `definePartitions<{ events: { at: Date } }>()({ table: 'events', by: 'at', every: 'month' })`
  await writeFile(
    file,
    `import { definePartitions } from '@shardwright/partition-manager'\n${config.replace('  schema,\n', `  schema,\n  partitions: [${policy}],\n`)}`,
  )
  await query(env.SHARD_1_URL, 'create table events (at timestamptz not null) partition by range (at)')
  await query(
    env.SHARD_1_URL,
    'create table events_default partition of events default; insert into events values (now())',
  )
  // A configuration is loaded once per process: this one in a process of its own.
  const { out } = await app.run(['doctor', '--json'], env)
  const found = said(JSON.parse(out) as Examination)
  expect(found).toEqual(
    expect.arrayContaining([
      'shard-1: public.events: 3 actions of its policy are due',
      expect.stringMatching(/^shard-1: public\.events: 1 rows of .* wait in DEFAULT partition events_default/),
      'shard-2: public.events: Table public.events does not exist on shard shard-2.',
    ]),
  )
  await writeFile(file, config)
})
