import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createFleet } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { installTransactions } from '@shardwright/shard-router'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AppFolder } from './support/app.ts'
import { expectTold } from './support/told-fields.ts'

let app: AppFolder
let cluster: LocalCluster
let env: Record<string, string>

beforeAll(async () => {
  app = await AppFolder.make()
  // Servers of their own, with a replica: what `status` shows of them.
  cluster = await startLocalCluster({ shards: 2, replicasPerShard: 1 })
  env = Object.fromEntries(cluster.shards.map((shard, index) => [`SHARD_${index + 1}_URL`, shard.url]))
  await app.call(['init', '--yes', '--name', 'parts'])
  const file = path.join(app.path, 'shardwright.config.ts')
  const config = await readFile(file, 'utf8')
  await writeFile(
    file,
    config
      .replace(
        'import { schema }',
        "import { definePartitions } from '@shardwright/partition-manager'\nimport { type Database, schema }",
      )
      .replace(
        '  schema,\n',
        `  schema,\n  partitions: [definePartitions<Database & { events: { at: Date; id: string } }>()({ table: 'events', by: 'at', every: 'month', premake: 2 })],\n`,
      ),
  )
  for (const shard of cluster.shards) {
    const client = new pg.Client({ connectionString: shard.url })
    await client.connect()
    await client.query(`create table public.events (id bigint, at timestamptz, v text, primary key (id, at));
      insert into public.events select g, now() - g * interval '1 day', 'v' || g from generate_series(1, 50) g`)
    await client.end()
  }
})
afterAll(async () => {
  await cluster?.stop()
  await app?.remove()
})

it('partitions convert, plan and apply', async () => {
  const dry = await app.call(['partitions', 'convert', 'events', '--dry-run'], env)
  expect(dry, dry.err).toMatchObject({ code: 0 })
  expect(dry.out).toMatch(/^-- public\.events on shard shard-1: about \d+ rows into \d+ partitions/)
  expect(await app.call(['partitions', 'convert', 'events'], env)).toMatchObject({ code: 4 })
  expect(await app.call(['partitions', 'convert', 'nothing', '--yes'], env)).toMatchObject({
    code: 1,
    err: expect.stringContaining('UNKNOWN_TABLE'),
  })
  const told = async (words: string, ...args: string[]) =>
    await expectTold(words, (await app.call([...args, '--json'], env)).out)
  await told('partitions convert --dry-run', 'partitions', 'convert', 'events', '--dry-run')
  const done = await app.call(['partitions', 'convert', 'events', '--yes', '--drop-old'], env)
  expect(done.out).toBe(
    'shard-1 public.events: converted, 50 rows verified\nshard-2 public.events: converted, 50 rows verified\n',
  )
  expect((await app.call(['partitions', 'apply'], env)).code).toBe(0)
  await told('partitions convert', 'partitions', 'convert', 'events', '--yes')
  await told('partitions apply', 'partitions', 'apply')
  await told('partitions plan', 'partitions', 'plan')
  expect(await app.call(['partitions', 'plan'], env)).toMatchObject({
    code: 0,
    out: expect.stringContaining('public.events on shard shard-1: nothing to do'),
  })
})

it('status shows replicas and partitions; drift sees neither', async () => {
  const ran = await app.call(['status', '--json'], env)
  const { shards } = JSON.parse(ran.out) as {
    shards: { facts: { replicas: { state: string }[]; partitions: number } }[]
  }
  for (const shard of shards) {
    expect(shard.facts.replicas).toMatchObject([{ state: 'streaming' }])
    expect(shard.facts.partitions).toBeGreaterThanOrEqual(4)
  }
  expect((await app.call(['status'], env)).out).toMatch(/\b1, \d.* behind/)
  expect((await app.call(['drift'], env)).out).toBe('No drift: 2 shards are equal to shard-1.\n')
})

it('transactions recover ends what a crash left prepared, as its decider says; doctor and status show it before', async () => {
  const [decider, other] = cluster.shards
  const fleet = createFleet({
    shards: cluster.shards.map(({ id, url }) => ({ id, url })),
    topologyId: 'parts',
    Client: pg.Client,
  })
  await installTransactions(fleet)
  const run = async (url: string, text: string) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query(text)).rows as Record<string, string>[]
    } finally {
      await client.end()
    }
  }
  const [incarnation] = await run(
    decider?.url ?? '',
    `select system_identifier || ':' || lower(substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)) as id from pg_control_system()`,
  )
  // What a process leaves that dies between the first phase and its decision.
  const gid = `sw1:parts:${randomUUID()}:shard-1@${incarnation?.id}:shard-2`
  await run(other?.url ?? '', 'create table public.left_over (id int)')
  const client = new pg.Client({ connectionString: other?.url })
  await client.connect()
  await client.query('begin')
  await client.query('insert into public.left_over values (1)')
  await client.query(`prepare transaction '${gid}'`)
  await client.end()

  const before = JSON.parse((await app.call(['status', '--json'], env)).out) as {
    healthy: boolean
    shards: { facts: { inDoubt: number } }[]
  }
  expect(before.healthy).toBe(false)
  expect(before.shards.map((shard) => shard.facts.inDoubt)).toEqual([0, 1])
  const doctor = await app.call(['doctor'], env)
  expect(doctor.out).toContain('shard-2: 1 prepared transactions wait for their end')
  expect(await app.call(['transactions', 'recover'], env)).toMatchObject({
    code: 0,
    out: '0 ended, 0 left, 1 too young to be looked at.\n',
  })
  const recovered = await app.call(['transactions', 'recover', '--grace', '0'], env)
  expect(recovered.out.replace(/\s+/g, ' '), recovered.err).toContain('1 ended, 0 left')
  expect(await run(other?.url ?? '', 'select count(*)::int as n from public.left_over')).toEqual([{ n: 0 }])
  expect(await run(other?.url ?? '', 'select gid from pg_prepared_xacts')).toEqual([])
})
