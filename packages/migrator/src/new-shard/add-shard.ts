import { createOwnSchema, type Fleet, type FleetConnection, type FleetShard, type Schema } from '@shardwright/core'
import { readSchemaSnapshot } from '../drift/schema-snapshot.ts'
import { NewShardError } from '../errors/new-shard-error.ts'
import { checkedTables } from '../place/checked-tables.ts'
import { ownershipConstraint } from '../place/ownership-constraint.ts'
import { createMigrator } from '../run/migrator.ts'
import type { MigratorOptions } from '../run/migrator-options.ts'
import { quoteIdentifier, quoteQualified } from '../sql/quote.ts'
import { MigrationStore } from '../state/migration-store.ts'
import { stateSchema, stateTable } from '../state/state-table.sql.ts'
import { applyBaseline } from './apply-baseline.ts'
import { copyLookups } from './copy-lookups.ts'
import { copyPartitions } from './copy-partitions.ts'
import { copyTable, exactText, referenceTables } from './reference-data.ts'
import { type NewShardCheck, verifyShard } from './verify-shard.ts'

export interface AddShardOptions {
  /** The shards that are there. */
  readonly fleet: Fleet
  readonly newShard: FleetShard
  /** Which tables are reference tables. */
  readonly schema: Schema
  /** As given to createMigrator. */
  readonly migrations: MigratorOptions['migrations']
  readonly topology?: MigratorOptions['topology']
  /** `migrations` runs them all; `baseline` makes the schema of the first shard directly. Default `migrations`. */
  readonly method?: 'migrations' | 'baseline' | undefined
  /** Which shard to take as the model. Default: the first. */
  readonly sourceShard?: string | undefined
  readonly onProgress?: ((step: string) => void) | undefined
}

export interface AddShardReport {
  readonly shard: string
  readonly migrations: number
  readonly partitions: number
  readonly reference: readonly { readonly table: string; readonly rows: number }[]
  /** All that was compared at the end; `ready` is true, or the call has thrown. */
  readonly check: NewShardCheck
}

/**
 * Brings an empty database to the state of the fleet: schema, migrations' state, partitions, reference data; then
 * compares. It can be run again after any failure. Only after it may a topology point buckets at the shard, and
 * writes to reference tables have to rest between it and that topology (or be compared again, see `verifyShard`).
 *
 * @throws NewShardError NEW_SHARD_NOT_EMPTY, NEW_SHARD_DIFFERS; MigrationError
 * @example
 * await addShard({ fleet, newShard, schema, migrations: 'migrations' })
 */
export async function addShard(options: AddShardOptions): Promise<AddShardReport> {
  const progress = options.onProgress ?? (() => {})
  const source = sourceOf(options)
  await using from = await source.connect({ applicationName: 'shardwright-shards-add' })
  await using to = await options.newShard.connect({ applicationName: 'shardwright-shards-add' })
  await claimEmpty(to)
  progress('schema')
  const migrations = await (options.method === 'baseline'
    ? buildByBaseline(options.schema, from, to)
    : buildByMigrations(options, from))
  await ownNothing(options.schema, from, to)
  progress('partitions')
  const partitions = await copyPartitions(from, to)
  progress('reference data')
  const reference = await copyReferenceData(options.schema, from, to)
  progress('compare')
  const check = await verifyShard({ schema: options.schema, source, shard: options.newShard })
  if (!check.ready) throw differs(options.newShard.id, check)
  await to.query(`drop table ${buildMarker}`)
  return Object.freeze({ shard: options.newShard.id, migrations, partitions, reference, check })
}

/** Tables that are guarded on the source let no row in here, until buckets are given to the shard and the checks refreshed. */
async function ownNothing(schema: Schema, from: FleetConnection, to: FleetConnection): Promise<void> {
  const there = await checkedTables(to)
  for (const name of await checkedTables(from)) {
    const table = schema.tables.find((placement) => `${placement.schema}.${placement.table}` === name)
    if (!table || there.has(name)) continue
    await to.query(
      `alter table ${quoteQualified(table.schema, table.table)} add constraint ${quoteIdentifier(ownershipConstraint)} check (false)`,
    )
  }
}

// There while a build is under way: a second attempt may go on with what the first has left. It has a row once a baseline stands.
const buildMarker = `"${stateSchema}"."shard_build"`

async function claimEmpty(to: FleetConnection): Promise<void> {
  const { rows } = await to.query<{ begun: boolean; tables: string[] | null }>(
    `select to_regclass($1) is not null as begun, (select array_agg(format('%s.%s', n.nspname, c.relname) order by 1)
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
         and not exists (select from pg_depend x where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')) as tables`,
    [buildMarker],
  )
  if (rows[0]?.begun) return
  const tables = rows[0]?.tables ?? []
  if (tables.length > 0) {
    throw new NewShardError({
      code: 'NEW_SHARD_NOT_EMPTY',
      message: `The database of ${to.shardId} already holds ${tables.slice(0, 5).join(', ')}${tables.length > 5 ? ' and more' : ''}.`,
      hint: 'Give an empty database. A shard that is complete already is compared by `shards check`.',
      details: { shard: to.shardId, tables },
    })
  }
  await to.query(createOwnSchema)
  await to.query(`create table ${buildMarker} (started_at timestamptz not null default now())`)
}

async function buildByMigrations(options: AddShardOptions, from: FleetConnection): Promise<number> {
  const applied = [...(await new MigrationStore(from, '').read()).values()].filter((row) => row.state === 'applied')
  const fleet: Fleet = { topologyId: options.fleet.topologyId, shards: [options.newShard] }
  const migrator = createMigrator({
    fleet,
    migrations: options.migrations,
    schema: options.schema,
    topology: options.topology,
  })
  const last = applied.at(-1)
  if (!last) return 0
  const report = await migrator.to(last.name, { lint: 'off' })
  const failed = report.steps.find((step) => step.error)?.error
  if (failed) throw failed
  return applied.length
}

async function buildByBaseline(schema: Schema, from: FleetConnection, to: FleetConnection): Promise<number> {
  const store = new MigrationStore(to, '')
  await store.prepare()
  const { rows: built } = await to.query(`select from ${buildMarker}`)
  if (built.length > 0 || (await store.read()).size > 0) return 0
  const snapshot = await readSchemaSnapshot(from)
  await to.query('begin')
  try {
    await applyBaseline(to, snapshot)
    await copyLookups(schema, from, to)
    const rows = await appliedRows(from)
    await to.query(
      `insert into ${stateTable} select (jsonb_populate_record(null::${stateTable}, r::jsonb)).* from unnest($1::text[]) r`,
      [rows],
    )
    await to.query(`insert into ${buildMarker} default values`)
    await to.query('commit')
    return rows.length
  } catch (error) {
    await to.query('rollback').catch(() => undefined)
    throw error
  }
}

/** As JSON; none where nothing was ever migrated, as in databases that are older than the fleet. */
async function appliedRows(from: FleetConnection): Promise<readonly string[]> {
  if ((await new MigrationStore(from, '').read()).size === 0) return []
  const { rows } = await from.query<{ row: string }>(
    `select to_jsonb(m)::text as row from ${stateTable} m where state = 'applied'`,
  )
  return rows.map(({ row }) => row)
}

async function copyReferenceData(
  schema: Schema,
  from: FleetConnection,
  to: FleetConnection,
): Promise<AddShardReport['reference']> {
  const tables = referenceTables(schema)
  await from.query('begin isolation level repeatable read read only')
  await to.query('begin')
  try {
    for (const connection of [from, to]) await connection.script(exactText)
    // Triggers and foreign keys have done their work on the source; the rows are compared afterwards.
    await to.query('set constraints all deferred')
    const copied: { table: string; rows: number }[] = []
    for (const table of await parentsFirst(from, tables)) {
      copied.push({ table: `${table.schema}.${table.table}`, rows: await copyTable(from, to, table) })
    }
    await to.query('commit')
    return copied
  } catch (error) {
    await to.query('rollback').catch(() => undefined)
    throw error
  } finally {
    await from.query('rollback').catch(() => undefined)
  }
}

/** Reference tables may point at one another: referenced ones come first, as far as there is no circle. */
async function parentsFirst<T extends { schema: string; table: string }>(
  from: FleetConnection,
  tables: readonly T[],
): Promise<readonly T[]> {
  const { rows } = await from.query<{ child: string; parent: string }>(
    `select cn.nspname || '.' || c.relname as child, pn.nspname || '.' || p.relname as parent from pg_constraint k
     join pg_class c on c.oid = k.conrelid join pg_namespace cn on cn.oid = c.relnamespace
     join pg_class p on p.oid = k.confrelid join pg_namespace pn on pn.oid = p.relnamespace where k.contype = 'f' and k.conrelid <> k.confrelid`,
  )
  const ordered: T[] = []
  let left = [...tables]
  while (left.length > 0) {
    const names = new Set(left.map((table) => `${table.schema}.${table.table}`))
    const free = left.filter(
      (table) => !rows.some((row) => row.child === `${table.schema}.${table.table}` && names.has(row.parent)),
    )
    const next = free.length > 0 ? free : left
    ordered.push(...next)
    left = left.filter((table) => !next.includes(table))
  }
  return ordered
}

function sourceOf({ fleet, sourceShard, newShard }: AddShardOptions): FleetShard {
  const others = fleet.shards.filter((shard) => shard.id !== newShard.id)
  const source = sourceShard === undefined ? others[0] : others.find((shard) => shard.id === sourceShard)
  if (source) return source
  throw new NewShardError({
    code: 'UNKNOWN_SHARD',
    message: `The fleet has no shard ${sourceShard ?? ''} to take as the model.`,
    hint: `Its other shards are ${others.map((shard) => shard.id).join(', ') || 'none'}.`,
  })
}

function differs(shard: string, check: NewShardCheck): NewShardError {
  const what = [
    ...check.differences.map((difference) => `${difference.kind} ${difference.object}`),
    ...check.migrations.map((name) => `migration ${name}`),
    ...check.reference.filter((table) => !table.equal).map((table) => `rows of ${table.table}`),
    ...check.partitions.map((table) => `partition ${table}`),
    ...check.unguarded.map((table) => `the ownership check of ${table}`),
  ]
  return new NewShardError({
    code: 'NEW_SHARD_DIFFERS',
    message: `${shard} is not equal to the fleet after its build: ${what.join(', ')}.`,
    hint: 'Mend what the details list and run it again; until then no bucket may point at the shard.',
    details: { shard, check },
  })
}
