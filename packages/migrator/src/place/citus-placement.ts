import type { Schema, ShardedTable, TablePlacement } from '@shardwright/core'
import { isCitus } from '@shardwright/core'
import { type Kysely, sql } from 'kysely'
import type { MigrationContext } from '../migration/migration-context.ts'
import { quoteLiteral, quoteQualified } from '../sql/quote.ts'

/** True when the migration runs on a Citus cluster: once, on the coordinator, for all nodes. */
export function onCitus({ topology }: Pick<MigrationContext, 'topology'>): boolean {
  return topology !== undefined && isCitus(topology)
}

/**
 * Distributes a table that was just created by its shard key. The family is the co-location group: a table joins the
 * others of its family, and the first one begins a group of its own. The guard lets a step that was cut run again.
 */
export async function distributeTable(db: Kysely<unknown>, schema: Schema, placement: ShardedTable): Promise<void> {
  const family = schema.tables
    .filter((table) => table.kind === 'sharded' && table.family === placement.family)
    .map((table) => `(${literal(table.schema)}, ${literal(table.table)})`)
  await sql`
    select create_distributed_table(made.name, ${sql.raw(literal(placement.key))}, colocate_with => coalesce((
      select format('%I.%I', n.nspname, c.relname) from pg_dist_partition p
      join pg_class c on c.oid = p.logicalrelid join pg_namespace n on n.oid = c.relnamespace
      where p.partmethod = 'h' and (n.nspname, c.relname) in (${sql.raw(family.join(', '))}) order by 1 limit 1), 'none'))
    from ${unlessKnown(placement)}`.execute(db)
}

/** Gives every node a copy of a table that was just created. */
export async function replicateTable(db: Kysely<unknown>, placement: TablePlacement): Promise<void> {
  await sql`select create_reference_table(made.name) from ${unlessKnown(placement)}`.execute(db)
}

/** Leaves a table on the coordinator, and lets every node know it: it can be read from there, and reference tables. */
export async function keepTableLocal(db: Kysely<unknown>, placement: TablePlacement): Promise<void> {
  await sql`select citus_add_local_table_to_metadata(made.name) from ${unlessKnown(placement)}`.execute(db)
}

function unlessKnown({ schema, table }: TablePlacement) {
  const name = literal(quoteQualified(schema, table))
  return sql.raw(
    `(select ${name}::regclass) made(name) where not exists (select from pg_dist_partition where logicalrelid = made.name)`,
  )
}

function literal(text: string): string {
  return quoteLiteral(text).trim()
}
