import type { FleetConnection } from '../ports/fleet.ts'
import type { Schema } from '../schema/schema.ts'
import type { CitusDifference } from './citus-difference.ts'
import type { CitusMetadata } from './citus-metadata.ts'
import { compareCitusTables, type FoundRelation } from './compare-citus-tables.ts'
import { readCitusMetadata } from './read-citus-metadata.ts'

const relationSql = `
select namespace.nspname as schema, relation.relname as "table", relation.relkind::text as kind
from unnest($1::text[], $2::text[]) as asked(schema_name, table_name)
join pg_catalog.pg_namespace as namespace on namespace.nspname = asked.schema_name
join pg_catalog.pg_class as relation on relation.relnamespace = namespace.oid and relation.relname = asked.table_name
where relation.relkind in ('r', 'p', 'f', 'v', 'm')`

/**
 * Compares the live metadata of a Citus cluster with the schema: distribution column and type, co-location by family,
 * replication, reference and local tables, tables that are missing. `connection` is one to the coordinator.
 * @throws TopologyError CITUS_NOT_INSTALLED
 * @example
 * await using connection = await fleet.shards[0].connect()
 * for (const { table, problem, found } of await inspectCitusTables(connection, schema)) console.log(table, problem, found)
 */
export async function inspectCitusTables(
  connection: Pick<FleetConnection, 'query'>,
  schema: Schema,
  metadata?: CitusMetadata,
): Promise<readonly CitusDifference[]> {
  const { rows } = await connection.query<FoundRelation>(relationSql, [
    schema.tables.map((table) => table.schema),
    schema.tables.map((table) => table.table),
  ])
  return compareCitusTables(schema, metadata ?? (await readCitusMetadata(connection)), rows)
}
