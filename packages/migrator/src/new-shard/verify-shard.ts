import type { FleetConnection, FleetShard, Schema } from '@shardwright/core'
import { compareSchemas, type Difference } from '../drift/compare-schemas.ts'
import { readSchemaSnapshot } from '../drift/schema-snapshot.ts'
import { singlesElsewhere, withoutTables } from '../drift/without-tables.ts'
import { checkedTables } from '../place/checked-tables.ts'
import { MigrationStore } from '../state/migration-store.ts'
import { exactText, fingerprint, type ReferenceTableName, referenceTables } from './reference-data.ts'

/** How a shard compares with another one of the fleet. */
export interface NewShardCheck {
  readonly ready: boolean
  readonly differences: readonly Difference[]
  /** Names that only one of the two has applied. */
  readonly migrations: readonly string[]
  readonly reference: readonly ReferenceComparison[]
  /** Partitions that the source has and the shard has not. */
  readonly partitions: readonly string[]
  /** Tables with an ownership check on the source and none here. */
  readonly unguarded: readonly string[]
}

export interface ReferenceComparison {
  readonly table: string
  readonly rows: number
  readonly expectedRows: number
  readonly equal: boolean
}

/**
 * Compares a shard with another: schema, migrations, reference data by count and checksum, partitions. Changes nothing.
 *
 * @example
 * const check = await verifyShard({ schema, source: fleet.shards[0], shard: fleet.shards[3] })
 */
export async function verifyShard(options: {
  readonly schema: Schema
  readonly source: FleetShard
  readonly shard: FleetShard
}): Promise<NewShardCheck> {
  await using from = await options.source.connect({ applicationName: 'shardwright-shards-check' })
  await using to = await options.shard.connect({ applicationName: 'shardwright-shards-check' })
  const singles = singlesElsewhere(options.schema, [options.source.id, options.shard.id])
  const differences = compareSchemas(
    withoutTables(await readSchemaSnapshot(from), singles),
    withoutTables(await readSchemaSnapshot(to), singles),
  )
  const migrations = await differentMigrations(from, to)
  const partitions = await missingPartitions(from, to)
  const guarded = await checkedTables(to)
  const unguarded = [...(await checkedTables(from))].filter((table) => !guarded.has(table))
  const there = referenceTables(options.schema).filter((table) => !isMissing(table, differences))
  const reference = await compareReferenceData(there, from, to)
  const ready =
    unguarded.length === 0 &&
    differences.length === 0 &&
    migrations.length === 0 &&
    partitions.length === 0 &&
    reference.every((table) => table.equal)
  return Object.freeze({ ready, differences, migrations, reference, partitions, unguarded })
}

async function compareReferenceData(
  tables: readonly ReferenceTableName[],
  from: FleetConnection,
  to: FleetConnection,
): Promise<readonly ReferenceComparison[]> {
  const compared: ReferenceComparison[] = []
  for (const connection of [from, to]) {
    await connection.query('begin isolation level repeatable read read only')
    await connection.script(exactText)
  }
  try {
    for (const table of tables) {
      const expected = await fingerprint(from, table)
      const found = await fingerprint(to, table)
      const equal = expected.rows === found.rows && expected.checksum === found.checksum
      compared.push({ table: expected.table, rows: found.rows, expectedRows: expected.rows, equal })
    }
    return compared
  } finally {
    for (const connection of [from, to]) await connection.query('rollback')
  }
}

async function differentMigrations(from: FleetConnection, to: FleetConnection): Promise<readonly string[]> {
  const applied = async (connection: FleetConnection) => {
    const rows = await new MigrationStore(connection, '').read()
    return new Map([...rows.values()].filter((row) => row.state === 'applied').map((row) => [row.name, row.checksum]))
  }
  const [expected, found] = [await applied(from), await applied(to)]
  const names = new Set([...expected.keys(), ...found.keys()])
  return [...names].filter((name) => expected.get(name) !== found.get(name))
}

async function missingPartitions(from: FleetConnection, to: FleetConnection): Promise<readonly string[]> {
  const list = async (connection: FleetConnection) => {
    const { rows } = await connection.query<{ name: string }>(
      `select n.nspname || '.' || c.relname || ' ' || pg_get_expr(c.relpartbound, c.oid) as name from pg_class c
       join pg_namespace n on n.oid = c.relnamespace where c.relispartition and c.relkind in ('r', 'p') order by 1`,
    )
    return rows.map((row) => row.name)
  }
  const found = new Set(await list(to))
  return (await list(from)).filter((name) => !found.has(name))
}

function isMissing(table: ReferenceTableName, differences: readonly Difference[]): boolean {
  return differences.some(
    ({ kind, object, problem }) =>
      kind === 'table' && problem === 'missing' && object === `${table.schema}.${table.table}`,
  )
}
