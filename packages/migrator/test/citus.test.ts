import {
  createFleet,
  defineSchema,
  defineTopology,
  type Fleet,
  fleetOf,
  inspectCitusTables,
  reference,
  type ShardKey,
  sharded,
  single,
} from '@shardwright/core'
import {
  type CitusCluster,
  type CitusDatabase,
  citusAvailability,
  citusFromEnvironment,
  type LocalCluster,
} from '@shardwright/local-cluster'
import { type Kysely, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  addForeignKey,
  addOwnershipCheck,
  assertComplete,
  createMigrator,
  createReferenceTable,
  createShardedTable,
  createSingleTable,
  defineMigration,
  findDrift,
  type Migration,
  type MigrationContext,
  readSchemaSnapshot,
  sqlMigration,
  validateConstraint,
} from '../src/index.ts'
import { createCurrencies } from './support/currencies.ts'
import { connectTo, freshShards, startServer } from './support/fleet.ts'

interface Database {
  wallets: { festival_id: ShardKey<string>; id: string }
  entries: { festival_id: ShardKey<string>; id: string; wallet_id: string; at: Date }
  accounts: { id: ShardKey<string> }
  user_by_email: { email: ShardKey<string>; user_id: string }
  currencies: { code: string; digits: number }
  settings: { name: string }
}

const schema = defineSchema<Database>()({
  tables: {
    wallets: sharded('festival_id'),
    entries: sharded('festival_id'),
    accounts: sharded('id', { family: 'user_id' }),
    user_by_email: sharded('email', { family: 'email' }),
    currencies: reference(),
    settings: single('shard-2'),
  },
})

/** The same file for both engines. */
const first = defineMigration({
  name: '0001_first',
  async up(db, context) {
    await createCurrencies(db, context)
    await createShardedTable(
      db,
      context,
      'wallets',
      (t) =>
        t
          .addColumn('festival_id', 'bigint')
          .addColumn('id', 'uuid')
          .addColumn('currency', 'text')
          .addPrimaryKeyConstraint('wallets_pkey', ['festival_id', 'id']),
      { ownership: true },
    )
    await createShardedTable(
      db,
      context,
      'entries',
      (t) =>
        t
          .addColumn('festival_id', 'bigint')
          .addColumn('id', 'uuid')
          .addColumn('wallet_id', 'uuid')
          .addColumn('at', 'timestamptz')
          .addPrimaryKeyConstraint('entries_pkey', ['festival_id', 'id', 'at']),
      { partitionBy: 'at' },
    )
    await addForeignKey(db, context, ['wallets', ['currency']], ['currencies', ['code']])
    await validateConstraint(db, context, 'wallets', 'wallets_currency_fkey')
    await addForeignKey(db, context, ['entries', ['festival_id', 'wallet_id']], ['wallets', ['festival_id', 'id']], {
      validate: true,
    })
    await createShardedTable(db, context, 'accounts', (t) =>
      t.addColumn('id', 'bigint').addPrimaryKeyConstraint('accounts_pkey', ['id'] as never),
    )
    await createShardedTable(db, context, 'user_by_email', (t) =>
      t
        .addColumn('email', 'text')
        .addColumn('user_id', 'bigint')
        .addPrimaryKeyConstraint('user_by_email_pkey', ['email'] as never),
    )
    await createSingleTable(db, context, 'settings', (t) =>
      t.addColumn('name', 'text', (c) => c.primaryKey()).addColumn('currency', 'text'),
    )
    await addForeignKey(db, context, ['settings', ['currency']], ['currencies', ['code']])
    await addOwnershipCheck(db, context, 'accounts', { keyType: 'int8', validate: true })
  },
})

const { available } = await citusAvailability()

describe.skipIf(!available)('migrations on Citus', () => {
  let citus: CitusCluster
  let database: CitusDatabase
  let fleet: Fleet
  const topology = () => defineTopology(database.topologyInput())
  const migratorOf = (...migrations: Migration[]) =>
    createMigrator({ fleet, schema, topology: topology(), migrations, lockTimeoutMs: 300, lockRetries: 0 })
  async function rows<R = Record<string, unknown>>(text: string): Promise<readonly R[]> {
    await using connection = await connectTo(fleet, 'coordinator')
    return (await connection.query<R>(text)).rows
  }

  beforeAll(async () => {
    citus = await citusFromEnvironment()
  }, 60_000)
  beforeEach(async () => {
    database = await citus.createDatabase()
    fleet = fleetOf(topology(), pg.Client)
  }, 60_000)
  afterAll(() => citus?.stop())

  it('one file makes the schema on hash shards and on Citus, where it is what the schema says', async () => {
    assertComplete(await migratorOf(first).up())
    await using connection = await connectTo(fleet, 'coordinator')
    expect(await inspectCitusTables(connection, schema)).toEqual([])
    expect(await rows('select code from currencies order by 1')).toEqual([{ code: 'EUR' }, { code: 'JPY' }])
    const groups = await rows<{ name: string; kind: string; group: number }>(
      `select table_name::text as name, citus_table_type as kind, colocation_id as group from citus_tables order by 1`,
    )
    expect(groups.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'accounts distributed',
      'currencies reference',
      'entries distributed',
      'settings local',
      'user_by_email distributed',
      'wallets distributed',
    ])
    const groupOf = (name: string) => groups.find((row) => row.name === name)?.group
    expect(groupOf('entries')).toBe(groupOf('wallets'))
    expect(groupOf('accounts')).not.toBe(groupOf('wallets'))
    await expect(connection.query(`insert into wallets values (1, gen_random_uuid(), 'XXX')`)).rejects.toMatchObject({
      code: '23503',
    })
    expect((await rows(`select from pg_constraint where conname = 'shardwright_ownership'`)).length).toBe(0)
    const again = await migratorOf(first).up()
    expect(again.outcome).toBe('unchanged')
    expect((await findDrift(fleet, { schema, reference: await readSchemaSnapshot(connection) })).drifted).toBe(false)
  }, 60_000)

  it('the same file on hash shards', async () => {
    const servers: LocalCluster = await startServer()
    try {
      const shards = await freshShards(servers, 2)
      const hashTopology = defineTopology({
        hash: 'postgres',
        shards: shards.map(({ id, url }) => ({ id, primary: url })),
      })
      const hashFleet = createFleet({ shards, Client: pg.Client })
      assertComplete(
        await createMigrator({ fleet: hashFleet, schema, topology: hashTopology, migrations: [first] }).up(),
      )
    } finally {
      await servers.stop()
    }
  }, 60_000)

  it('a migration is whole or not at all on every node, and texts of several statements are sent one by one', async () => {
    assertComplete(await migratorOf(first).up())
    const failing = defineMigration({
      name: '0002_failing',
      async up(db, context) {
        await sql`alter table wallets add column note text; create index wallets_note on wallets (note)`.execute(db)
        await missing(db, context)
      },
    })
    const missing = async (db: Kysely<unknown>, _: MigrationContext) => {
      await sql`alter table wallets add constraint wallets_note_key unique (note)`.execute(db)
    }
    const report = await migratorOf(first, failing).up({ lint: 'off' })
    expect(report.outcome).toBe('incomplete')
    // Citus' own word: without the distribution column nothing is unique over the nodes.
    expect(report.steps[0]?.error?.message).toContain('wallets')
    const { columns } = (
      await rows<{ columns: string }>(
        `select string_agg(result, ',') as columns from run_command_on_workers(
         $$select count(*) from information_schema.columns where table_name like 'wallets%' and column_name = 'note'$$)`,
      )
    )[0] as { columns: string }
    expect(columns).toMatch(/^0(,0)*$/)
    const works = await sqlMigration(
      '0002_works',
      'alter table wallets add column note text; create index wallets_note on wallets (note);',
    )
    assertComplete(await migratorOf(first, works).up({ lint: 'off' }))
  }, 60_000)

  it('goes on where a migration without a transaction was cut, also between CREATE TABLE and its distribution', async () => {
    let cut = true
    const steps = defineMigration({
      name: '0002_steps',
      transaction: false,
      source: 'steps',
      async up(db, context) {
        await createShardedTable(db, context, 'wallets', (t) =>
          t
            .addColumn('festival_id', 'bigint')
            .addColumn('id', 'uuid')
            .addPrimaryKeyConstraint('p', ['festival_id', 'id']),
        )
        if (cut) throw new Error('cut')
        await sql`create index concurrently wallets_id on wallets (id)`.execute(db)
        await createReferenceTable(db, context, 'currencies', (t) => t.addColumn('code', 'text', (c) => c.primaryKey()))
      },
    })
    expect((await migratorOf(steps).up({ lint: 'off' })).outcome).toBe('incomplete')
    cut = false
    assertComplete(await migratorOf(steps).up({ lint: 'off' }))
    expect(
      await rows(
        `select citus_table_type as kind from citus_tables where table_name in ('wallets'::regclass, 'currencies'::regclass) order by 1`,
      ),
    ).toEqual([{ kind: 'distributed' }, { kind: 'reference' }])
  }, 60_000)

  it('a lock on a worker ends a migration in time, and leaves nothing', async () => {
    assertComplete(await migratorOf(first).up())
    const [shard] = await rows<{ host: string; port: number; name: string }>(
      `select nodename as host, nodeport as port, shard_name as name from citus_shards where table_name = 'wallets'::regclass limit 1`,
    )
    const url = database.nodes[`${shard?.host}:${shard?.port}`] as string
    await using holder = await createFleet({ shards: [{ id: 'w', url }], Client: pg.Client }).shards[0]!.connect()
    await holder.query('set citus.enable_manual_changes_to_shards to on')
    await holder.query('begin')
    await holder.query(`lock table ${shard?.name} in access share mode`)
    const waits = defineMigration({
      name: '0002_waits',
      up: (db) => sql`alter table wallets add column note text`.execute(db).then(() => undefined),
    })
    const started = performance.now()
    const report = await migratorOf(first, waits).up()
    expect(performance.now() - started).toBeLessThan(8_000)
    expect(report.steps[0]?.error?.details.sqlState).toBe('55P03')
    await holder.query('rollback')
    assertComplete(await migratorOf(first, waits).up())
  }, 60_000)

  it('shows in a dry run what it would send, and touches nothing', async () => {
    const [step] = await migratorOf(first).dryRun()
    expect(step?.shards).toEqual(['coordinator'])
    expect(step?.readsRows).toBe(false)
    const sent = step?.statements.map((statement) => statement.sql).join('\n') ?? ''
    expect(sent).toMatch(/create_distributed_table[\s\S]*create_distributed_table/)
    expect(sent).toContain('create_reference_table')
    expect(sent).toContain('citus_add_local_table_to_metadata')
    expect(sent).not.toContain('shardwright_ownership')
    expect(await rows('select from pg_dist_partition')).toEqual([])
  }, 60_000)
})
