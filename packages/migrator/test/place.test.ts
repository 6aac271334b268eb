import {
  defineSchema,
  defineTopology,
  type Fleet,
  locate,
  lookup,
  reference,
  type ShardKey,
  sharded,
  single,
  type Topology,
  topologyInputOf,
} from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  addForeignKey,
  addOwnershipCheck,
  createLookupTable,
  createMigrator,
  createReferenceTable,
  createShardedTable,
  createSingleTable,
  defineMigration,
  type MigrationContext,
  refreshOwnershipChecks,
  seedReference,
} from '../src/index.ts'
import { createCurrencies } from './support/currencies.ts'
import { freshFleet, on, startServer } from './support/fleet.ts'

interface Database {
  wallets: { festival_id: ShardKey<string>; id: string }
  entries: { festival_id: ShardKey<string>; id: string; wallet_id: string }
  accounts: { id: ShardKey<string>; email: string }
  currencies: { code: string; digits: number }
  settings: { name: string }
}

const schema = defineSchema<Database>()({
  tables: {
    wallets: sharded('festival_id'),
    entries: sharded('festival_id'),
    accounts: sharded('id', { family: 'user_id' }),
    currencies: reference(),
    settings: single('shard-2'),
  },
  lookups: [lookup({ table: 'accounts', column: 'email', to: 'id', unique: true })],
})

const topologyWith = (hash: 'postgres' | 'murmur3'): Topology =>
  defineTopology({
    hash,
    buckets: 64,
    shards: ['shard-1', 'shard-2', 'shard-3'].map((id) => ({ id, primary: `postgres://u@127.0.0.1/${id}` })),
    pins: [{ family: 'festival_id', key: '7', shard: 'shard-3' }],
  })

let cluster: LocalCluster
beforeAll(async () => {
  cluster = await startServer()
})
afterAll(() => cluster?.stop())

type Up = (db: Kysely<unknown>, context: MigrationContext) => Promise<void>
const run = async (fleet: Fleet, up: Up, topology?: Topology) =>
  await createMigrator({ fleet, schema, topology, migrations: [defineMigration({ name: '0001', up })] }).up()

const wallets: Up = (db, context) =>
  createShardedTable(
    db,
    context,
    'wallets',
    (t) =>
      t
        .addColumn('festival_id', 'bigint')
        .addColumn('id', 'bigint')
        .addPrimaryKeyConstraint('wallets_pkey', ['festival_id', 'id']),
    { ownership: true },
  )

it('creates every kind of table where it belongs, with seeds, lookups and foreign keys', async () => {
  const fleet = await freshFleet(cluster, 3)
  const report = await run(
    fleet,
    async (db, context) => {
      await wallets(db, context)
      await createShardedTable(
        db,
        context,
        'entries',
        (t) =>
          t
            .addColumn('festival_id', 'bigint')
            .addColumn('id', 'bigint')
            .addColumn('wallet_id', 'bigint')
            .addColumn('ts', 'date')
            .addPrimaryKeyConstraint('entries_pkey', ['festival_id', 'id', 'ts']),
        { partitionBy: { by: 'ts' } },
      )
      await addForeignKey(db, context, ['entries', ['festival_id', 'wallet_id']], ['wallets', ['festival_id', 'id']], {
        validate: true,
      })
      await createCurrencies(db, context, [
        { code: 'EUR', digits: 3 },
        { code: 'JPY', digits: 0 },
      ])
      await seedReference(db, context, 'currencies', ['code'], [{ code: 'EUR', digits: 2 }])
      await createSingleTable(db, context, 'settings', (t) => t.addColumn('name', 'text', (c) => c.primaryKey()))
      await createShardedTable(db, context, 'accounts', (t) =>
        t.addColumn('id', 'uuid').addColumn('email', sql`varchar(90)`).addPrimaryKeyConstraint('accounts_pkey', ['id']),
      )
      await createLookupTable(db, context, 'accounts_by_email')
    },
    topologyWith('postgres'),
  )
  expect(report.steps.map((step) => step.error)).toEqual([undefined, undefined, undefined])
  for (const { id } of fleet.shards) {
    expect(await on(fleet, id, 'select code, digits from currencies order by 1')).toEqual([
      { code: 'EUR', digits: 2 },
      { code: 'JPY', digits: 0 },
    ])
    const [tables] = await on(
      fleet,
      id,
      `select to_regclass('settings')::text as settings, (select relkind from pg_class where oid = 'entries'::regclass) as kind,
      (select count(*)::int from pg_constraint where conname = 'entries_festival_id_wallet_id_fkey' and conrelid = 'entries'::regclass) as fk`,
    )
    expect(tables).toEqual({ settings: id === 'shard-2' ? 'settings' : null, kind: 'p', fk: 1 })
    expect(await on(fleet, id, 'select state from shardwright.lookup')).toEqual([{ state: 'ready' }])
    // Nobody in this session keeps the lookup.
    await expect(on(fleet, id, "insert into accounts values (gen_random_uuid(), 'a@x')")).rejects.toMatchObject({
      code: 'SWL01',
    })
  }
})

it('lets exactly the rows of a shard in, pins included, for the same keys as the topology says', async () => {
  const fleet = await freshFleet(cluster, 3)
  const topology = topologyWith('postgres')
  expect((await run(fleet, wallets, topology)).outcome).toBe('complete')
  for (const [index, { id }] of fleet.shards.entries()) {
    const keys = Array.from({ length: 400 }, (_, key) => key - 50)
    const [row] = await on<{ taken: string[] }>(
      fleet,
      id,
      `create function try_insert(k bigint) returns boolean language plpgsql as $$ begin insert into wallets values (k, 1); return true; exception when check_violation then return false; end $$;
       `,
    ).then(() =>
      on<{ taken: string[] }>(
        fleet,
        id,
        `select array_agg(k::text order by k) as taken from generate_series(-50, 349) k where try_insert(k)`,
      ),
    )
    const owned = keys.filter(
      (key) => locate(topology, { family: 'festival_id', type: 'int8', value: key }).shard === index,
    )
    expect(row?.taken).toEqual(owned.map(String))
  }
  await expect(on(fleet, 'shard-1', 'insert into wallets (id) values (1)')).rejects.toMatchObject({ code: '23502' })
})

it('makes the checks follow another topology, and says when a row is on the wrong side', async () => {
  const fleet = await freshFleet(cluster, 3)
  const before = topologyWith('postgres')
  await run(fleet, wallets, before)
  const keys = Array.from({ length: 64 }, (_, key) => key)
  const owners = (topology: Topology, key: number) =>
    locate(topology, { family: 'festival_id', type: 'int8', value: key }).shard
  const after = defineTopology({
    ...topologyInputOf(before),
    epoch: 2,
    bucketMap: [{ from: 0, to: 63, shard: 'shard-2' }],
  })
  // Key 7 stays pinned to shard-3; every other one belongs to shard-2 now.
  expect(await refreshOwnershipChecks({ fleet, schema, topology: after })).toEqual(
    fleet.shards.map(({ id }) => ({ shard: id, table: 'wallets' })),
  )
  for (const key of keys) {
    const owner = fleet.shards[owners(after, key)]?.id ?? ''
    await on(fleet, owner, `insert into wallets values (${key}, 1)`)
    await expect(on(fleet, 'shard-1', `insert into wallets values (${key}, 1)`)).rejects.toMatchObject({
      code: '23514',
    })
  }
  await expect(refreshOwnershipChecks({ fleet, schema, topology: before })).rejects.toMatchObject({ code: '23514' })
})

it.each<[string, Up, Topology | undefined]>([
  [
    'KEY_NOT_IN_PRIMARY_KEY',
    (db, context) =>
      createShardedTable(db, context, 'wallets', (t) =>
        t.addColumn('festival_id', 'bigint').addColumn('id', 'bigint', (c) => c.primaryKey()),
      ),
    undefined,
  ],
  [
    'KEY_NOT_IN_PRIMARY_KEY',
    (db, context) => createShardedTable(db, context, 'wallets', (t) => t.addColumn('festival_id', 'bigint')),
    undefined,
  ],
  [
    'PLACEMENT_UNKNOWN',
    (db, context) => createReferenceTable(db, context, 'wallets', (t) => t.addColumn('id', 'bigint')),
    undefined,
  ],
  [
    'PLACEMENT_UNKNOWN',
    (db, context) => createReferenceTable(db, context, 'nowhere', (t) => t.addColumn('id', 'bigint')),
    undefined,
  ],
  [
    'FOREIGN_KEY_ACROSS_FAMILIES',
    (db, context) => addForeignKey(db, context, ['wallets', ['id']], ['accounts', ['id']]),
    undefined,
  ],
  [
    'FOREIGN_KEY_ACROSS_FAMILIES',
    (db, context) => addForeignKey(db, context, ['entries', ['wallet_id']], ['wallets', ['id']]),
    undefined,
  ],
  ['CONTEXT_INCOMPLETE', wallets, undefined],
  [
    'OWNERSHIP_NOT_EXPRESSIBLE',
    (db, context) => addOwnershipCheck(db, context, 'wallets', { keyType: 'int8' }),
    topologyWith('murmur3'),
  ],
])('%s is refused before a statement is sent', async (code, up, topology) => {
  const fleet = await freshFleet(cluster, 1)
  await expect(run(fleet, up, topology)).rejects.toMatchObject({ code })
})
