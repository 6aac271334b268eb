import {
  type AnyTopology,
  defineSchema,
  type Fleet,
  fleetOf,
  isCitus,
  locate,
  reference,
  type ShardKey,
  sharded,
  single,
} from '@shardwright/core'
import { type Kysely, sql } from 'kysely'
import pg from 'pg'
import {
  addForeignKey,
  assertComplete,
  createMigrator,
  createShardedTable,
  createSingleTable,
  defineMigration,
  type MigrationContext,
} from '../../src/index.ts'
import { createCurrencies } from './currencies.ts'

interface Database {
  wallets: { festival: ShardKey<string>; id: string; note: string; raw: Buffer; at: Date; list: string[]; doc: unknown }
  entries: { festival: ShardKey<string>; id: string; wallet_id: string; at: Date; amount: string }
  accounts: { id: ShardKey<string>; name: string }
  currencies: { code: string; digits: number }
  settings: { name: string }
}

/** Children stand before their parents here: the order of a copy is that of the foreign keys. */
export const schema = defineSchema<Database>()({
  tables: {
    entries: sharded('festival'),
    wallets: sharded('festival'),
    accounts: sharded('id', { family: 'user_id' }),
    currencies: reference(),
    settings: single('shard-2'),
  },
})

const up = async (db: Kysely<unknown>, context: MigrationContext) => {
  await createCurrencies(db, context, [{ code: 'EUR', digits: 2 }])
  await createShardedTable(
    db,
    context,
    'wallets',
    (t) =>
      t
        .addColumn('note', 'text')
        .addColumn('festival', 'text')
        .addColumn('id', 'bigint', (c) => c.generatedByDefaultAsIdentity())
        .addColumn('currency', 'text')
        .addColumn('raw', 'bytea')
        .addColumn('at', 'timestamptz')
        .addColumn('list', sql`text[]`)
        .addColumn('doc', 'jsonb')
        .addColumn('length', 'integer', (c) => c.generatedAlwaysAs(sql`length(note)`).stored())
        .addPrimaryKeyConstraint('wallets_pkey', ['festival', 'id']),
    { ownership: context.topology !== undefined && 'hash' in context.topology && context.topology.hash === 'postgres' },
  )
  await createShardedTable(
    db,
    context,
    'entries',
    (t) =>
      t
        .addColumn('festival', 'text')
        .addColumn('id', 'uuid')
        .addColumn('wallet_id', 'bigint')
        .addColumn('at', 'timestamptz')
        .addColumn('amount', 'numeric')
        .addPrimaryKeyConstraint('entries_pkey', ['festival', 'id', 'at']),
    { partitionBy: 'at' },
  )
  await addForeignKey(db, context, ['wallets', ['currency']], ['currencies', ['code']])
  await addForeignKey(db, context, ['entries', ['festival', 'wallet_id']], ['wallets', ['festival', 'id']], {
    validate: true,
  })
  await createShardedTable(db, context, 'accounts', (t) =>
    t
      .addColumn('id', 'bigint')
      .addColumn('name', 'text')
      .addPrimaryKeyConstraint('accounts_pkey', ['id'] as never),
  )
  await createSingleTable(db, context, 'settings', (t) => t.addColumn('name', 'text', (c) => c.primaryKey()))
}

/** A topology whose servers have the schema. */
export async function migrated(topology: AnyTopology): Promise<{ fleet: Fleet; topology: AnyTopology }> {
  const fleet = fleetOf(topology, pg.Client)
  const migrations = [defineMigration({ name: '0001', up })]
  assertComplete(await createMigrator({ fleet, schema, topology, migrations }).up({ lint: 'off' }))
  return { fleet, topology }
}

/** Keys and values whose texts are easily broken on their way. */
const notes = ['plain', '', '\\N', 'tab\there', 'line\nbreak\r', 'back\\slash', 'quote\'"', 'NULL', '日本語 🎪', ' a ']

/** Rows on the shards that own them; each shard has some, with partitions of its own. */
export async function fill({ fleet, topology }: { fleet: Fleet; topology: AnyTopology }, keys: number): Promise<void> {
  const names = Array.from({ length: keys }, (_, index) => `${notes[index % notes.length]}#${index}`)
  for (const [shard, entry] of fleet.shards.entries()) {
    await using connection = await entry.connect()
    const owner = (type: 'text' | 'int8', family: string, value: string) =>
      isCitus(topology) ? shard : locate(topology, { family, type, value }).shard
    const own = names.filter((value) => owner('text', 'festival', value) === shard)
    const accounts = names
      .map((_, index) => String(index * 7919))
      .filter((id) => owner('int8', 'user_id', id) === shard)
    await connection.query(`insert into currencies values ('JPY', 0), ('XXX', null) on conflict do nothing`)
    await connection.query(
      `create table entries_2026 partition of entries for values from ('2026-01-01Z') to ('2027-01-01Z')`,
    )
    await connection.query(
      `insert into wallets (festival, note, currency, raw, at, list, doc)
       select f, case when n % 3 = 0 then null else f end, case when n % 2 = 0 then 'JPY' end, decode(md5(f), 'hex'),
         '2026-05-01T12:00:00.123456Z'::timestamptz + n * interval '1 hour', array[f, null, ''], jsonb_build_object('k', f, 'n', n)
       from unnest($1::text[]) with ordinality as k(f, n), generate_series(1, 5)`,
      [own],
    )
    await connection.query(
      `insert into entries select festival, gen_random_uuid(), id, at, id / 7.0 from wallets, generate_series(1, 3)`,
    )
    await connection.query(`insert into accounts select id, 'a' || id from unnest($1::bigint[]) as k(id)`, [accounts])
    if (entry.id === 'shard-2' || isCitus(topology))
      await connection.query(`insert into settings values ('theme'), ('zone')`)
  }
}

/** All rows of all tables as sorted texts: what two sides are compared by here, apart from the transfer's own comparison. */
export async function contents({
  fleet,
  topology,
}: {
  fleet: Fleet
  topology: AnyTopology
}): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for (const { table, kind } of schema.tables) {
    const rows: string[] = []
    for (const [shard, entry] of fleet.shards.entries()) {
      if (kind === 'single' && !isCitus(topology) && entry.id !== 'shard-2') continue
      if (kind === 'reference' && shard > 0) continue
      await using connection = await entry.connect()
      await connection.query(`set timezone to 'UTC'`)
      const columns = 'wallets' === table ? 'festival, id, note, currency, raw, at, list, doc, length' : '*'
      const { rows: own } = await connection.client.query<unknown[]>({
        text: `select ${columns} from public.${table}`,
        rowMode: 'array',
      } as never)
      rows.push(...(own as unknown[][]).map((row) => JSON.stringify(row)))
    }
    found[table] = rows.sort()
  }
  return found
}
