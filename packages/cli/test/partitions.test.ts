import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AppFolder } from './support/app.ts'

let app: AppFolder
let cluster: LocalCluster
let env: Record<string, string>

beforeAll(async () => {
  app = await AppFolder.make()
  // Servers of their own, with a replica: what `status` shows of them.
  cluster = await startLocalCluster({ shards: 2, replicasPerShard: 1 })
  env = Object.fromEntries(cluster.shards.map((shard, index) => [`SHARD_${index + 1}_URL`, shard.url]))
  await app.run(['init', '--yes', '--name', 'parts'])
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
  const dry = await app.run(['partitions', 'convert', 'events', '--dry-run'], env)
  expect(dry, dry.err).toMatchObject({ code: 0 })
  expect(dry.out).toMatch(/^-- public\.events on shard shard-1: about \d+ rows into \d+ partitions/)
  expect(await app.run(['partitions', 'convert', 'events'], env)).toMatchObject({ code: 4 })
  expect(await app.run(['partitions', 'convert', 'nothing', '--yes'], env)).toMatchObject({
    code: 1,
    err: expect.stringContaining('UNKNOWN_TABLE'),
  })
  const done = await app.run(['partitions', 'convert', 'events', '--yes', '--drop-old'], env)
  expect(done.out).toBe(
    'shard-1 public.events: converted, 50 rows verified\nshard-2 public.events: converted, 50 rows verified\n',
  )
  expect((await app.run(['partitions', 'apply'], env)).code).toBe(0)
  expect(await app.run(['partitions', 'plan'], env)).toMatchObject({
    code: 0,
    out: expect.stringContaining('public.events on shard shard-1: nothing to do'),
  })
})

it('status shows replicas and partitions; drift sees neither', async () => {
  const ran = await app.run(['status', '--json'], env)
  const { shards } = JSON.parse(ran.out) as {
    shards: { facts: { replicas: { state: string }[]; partitions: number } }[]
  }
  for (const shard of shards) {
    expect(shard.facts.replicas).toMatchObject([{ state: 'streaming' }])
    expect(shard.facts.partitions).toBeGreaterThanOrEqual(4)
  }
  expect((await app.run(['status'], env)).out).toMatch(/\b1, \d.* behind/)
  expect((await app.run(['drift'], env)).out).toBe('No drift: 2 shards are equal to shard-1.\n')
})
