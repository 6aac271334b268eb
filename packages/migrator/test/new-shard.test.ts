import { createFleet, defineSchema, lookup, reference, type ShardKey, sharded, single } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  addShard,
  createLookupTable,
  createMigrator,
  defineMigration,
  sqlMigration,
  verifyShard,
} from '../src/index.ts'
import { freshShards, on, startServer } from './support/fleet.ts'
import { rich, richRoles } from './support/rich-schema.ts'

let cluster: LocalCluster
beforeAll(async () => {
  cluster = await startServer()
})
afterAll(() => cluster?.stop())

interface Database {
  wallets: { festival_id: ShardKey<string>; ts: Date }
  kinds: { code: string }
  festivals: { id: string }
  settings: { name: string }
}

const schema = defineSchema<Database>()({
  tables: { wallets: sharded('festival_id'), kinds: reference(), festivals: reference(), settings: single('shard-1') },
  lookups: [lookup({ table: 'wallets', column: 'ts', to: 'festival_id' })],
})

const migrations = async () => [
  await sqlMigration(
    '0001_tables',
    `create table wallets (festival_id bigint, ts date, primary key (festival_id, ts)) partition by range (ts);
     create table kinds (code text primary key);
     create table festivals (id bigint generated always as identity primary key, kind text not null references kinds (code), name text,
       double bigint generated always as (id * 2) stored, at timestamptz, ratio float8, data bytea, tags text[], doc jsonb);`,
  ),
  await sqlMigration(
    '0002_index',
    '-- shardwright: transaction=false\ncreate index concurrently festivals_name on festivals (name)',
  ),
  defineMigration({ name: '0003_lookup', up: (db, context) => createLookupTable(db, context, 'wallets_by_ts') }),
]

async function fleetWithData() {
  const shards = await freshShards(cluster, 3)
  const fleet = createFleet({ shards: shards.slice(0, 2), Client: pg.Client })
  const files = await migrations()
  expect((await createMigrator({ fleet, schema, migrations: files }).up()).outcome).toBe('complete')
  for (const { id } of fleet.shards) {
    await on(
      fleet,
      id,
      `create table wallets_2026 partition of wallets for values from ('2026-01-01') to ('2027-01-01') partition by hash (festival_id);
       create table wallets_2026_a partition of wallets_2026 for values with (modulus 1, remainder 0);
       create table wallets_default partition of wallets default;
       alter table wallets add constraint shardwright_ownership check (festival_id < 10);
       insert into kinds values ('rock'), ('jazz');
       insert into festivals (kind, name, at, ratio, data, tags, doc) select 'rock', case when g % 7 = 0 then null else 'n"''\\' || g end,
         timestamptz '2026-03-29 00:30 Europe/Zurich' + g * interval '1.000001 s', 1.0 / 3 * g, decode('00ff', 'hex'), array['a,b', null, '"'], '{"a": [1, null]}'
       from generate_series(1, 2500) g;
       set shardwright.lookup_changes = 'off'; insert into wallets values (1, '2026-05-05')`,
    )
    await on(fleet, id, 'analyze')
  }
  await on(fleet, 'shard-1', 'create table settings (name text)')
  const [, , added] = createFleet({ shards, Client: pg.Client }).shards
  if (!added) throw new Error('no third shard')
  return { fleet, added, files, all: createFleet({ shards, Client: pg.Client }) }
}

it.each(['migrations', 'baseline'] as const)(
  'brings an empty database to the state of the fleet by %s',
  async (method) => {
    const { fleet, added, files, all } = await fleetWithData()
    const steps: string[] = []
    const report = await addShard({
      fleet,
      newShard: added,
      schema,
      migrations: files,
      method,
      onProgress: (step) => steps.push(step),
    })
    expect(report).toMatchObject({ shard: 'shard-3', migrations: 3, partitions: 3, check: { ready: true } })
    expect(report.reference).toEqual([
      { table: 'public.kinds', rows: 2 },
      { table: 'public.festivals', rows: 2500 },
    ])
    expect(steps).toEqual(['schema', 'partitions', 'reference data', 'compare'])
    expect((await createMigrator({ fleet: all, schema, migrations: files }).status()).complete).toBe(true)
    expect(await on(all, 'shard-3', 'select count(*)::int as n from wallets')).toEqual([{ n: 0 }])
    expect(await on(all, 'shard-3', 'select name, state from shardwright.lookup')).toEqual([
      { name: 'wallets_by_ts', state: 'ready' },
    ])
    const triggers = `select tgname from pg_trigger where tgrelid = 'wallets'::regclass and tgname ~ '^shardwright_' order by 1`
    expect(await on(all, 'shard-3', triggers)).toHaveLength(4)
    // It owns nothing yet.
    await expect(on(all, 'shard-3', `insert into wallets values (1, '2026-05-05')`)).rejects.toMatchObject({
      code: '23514',
    })
    const dump = 'select md5(string_agg(f::text, chr(10) order by id)) as sum from festivals f'
    expect(await on(all, 'shard-3', dump)).toEqual(await on(all, 'shard-1', dump))
  },
)

it('a baseline makes something of everything that a schema can hold, owners and grants included', async () => {
  const shards = await freshShards(cluster, 2)
  const [first, added] = shards
  if (!first || !added) throw new Error('too few shards')
  const fleet = createFleet({ shards: [first], Client: pg.Client })
  await on(fleet, 'shard-1', richRoles)
  await on(fleet, 'shard-1', rich)
  await on(
    fleet,
    'shard-1',
    `alter table app.items owner to drift_writer; alter function app.twice(int) owner to drift_writer; alter type mood owner to drift_reader;
     alter schema "odd; Schema" owner to "Drift owner"; alter event trigger note_ddl disable`,
  )
  const [newShard] = createFleet({ shards: [added], Client: pg.Client }).shards
  if (!newShard) throw new Error('no new shard')
  const plain = defineSchema<{ stale: { id: ShardKey<string> } }>()({ tables: { stale: sharded('id') } })
  const build = { fleet, newShard, schema: plain, migrations: [], method: 'baseline' as const }
  const broken = (step: string) => {
    if (step === 'reference data') throw new Error('stop here')
  }
  await expect(addShard({ ...build, onProgress: broken })).rejects.toThrow('stop here')
  const report = await addShard(build)
  expect(report.check).toMatchObject({ ready: true, differences: [] })
})

it('refuses a database that holds something, and names every difference later', async () => {
  const { fleet, added, files, all } = await fleetWithData()
  await on(all, 'shard-3', 'create table something (id int)')
  await expect(addShard({ fleet, newShard: added, schema, migrations: files })).rejects.toMatchObject({
    code: 'NEW_SHARD_NOT_EMPTY',
    message: expect.stringContaining('public.something'),
  })
  await on(all, 'shard-3', 'drop table something')
  await addShard({ fleet, newShard: added, schema, migrations: files })
  await on(
    all,
    'shard-3',
    `update festivals set name = 'x' where id = 5; drop index festivals_name; drop table wallets_default;
     alter table wallets drop constraint shardwright_ownership`,
  )
  const [source] = all.shards
  if (!source) throw new Error('no source')
  const check = await verifyShard({ schema, source, shard: added })
  expect(check).toMatchObject({
    ready: false,
    differences: [{ object: 'public.festivals_name', problem: 'missing' }],
    partitions: ['public.wallets_default DEFAULT'],
    unguarded: ['public.wallets'],
    reference: [
      { table: 'public.kinds', equal: true },
      { table: 'public.festivals', rows: 2500, expectedRows: 2500, equal: false },
    ],
  })
})

it('goes on after a build that failed half-way', async () => {
  const { fleet, added, files, all } = await fleetWithData()
  const broken = [files[0]!, { ...files[1]!, up: () => Promise.reject(new Error('the deployer tripped')) }, files[2]!]
  await expect(addShard({ fleet, newShard: added, schema, migrations: broken })).rejects.toMatchObject({
    code: 'MIGRATION_FAILED',
  })
  expect((await addShard({ fleet, newShard: added, schema, migrations: files })).check.ready).toBe(true)
  expect(await on(all, 'shard-3', `select to_regclass('shardwright.shard_build') as marker`)).toEqual([
    { marker: null },
  ])
})
