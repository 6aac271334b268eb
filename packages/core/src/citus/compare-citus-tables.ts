import type { Schema } from '../schema/schema.ts'
import type { ReferenceTable, ShardedTable, SingleTable, TablePlacement } from '../schema/table-placement.ts'
import type { CitusDifference } from './citus-difference.ts'
import type { CitusMetadata, CitusTable } from './citus-metadata.ts'

/** A relation of the coordinator's catalog. */
export interface FoundRelation {
  readonly schema: string
  readonly table: string
  /** `pg_class.relkind`. */
  readonly kind: string
}

type Problem = CitusDifference['problem']

/**
 * What of a cluster's metadata is not as the schema says: pure, in the order of the schema's tables. `relations` are those
 * of the schema's tables that exist; views are left alone, as their rows are where their tables' rows are.
 * @example
 * compareCitusTables(schema, metadata, relations).map((difference) => difference.table)
 */
export function compareCitusTables(
  schema: Schema,
  metadata: CitusMetadata,
  relations: readonly FoundRelation[],
): readonly CitusDifference[] {
  const kinds = new Map(relations.map((relation) => [qualified(relation), relation.kind]))
  const anchors = new Map<string, Anchor>()
  const differences = schema.tables.flatMap((placement): readonly CitusDifference[] => {
    const kind = kinds.get(qualified(placement))
    if (kind === undefined) {
      return [difference(placement, 'missing-table', describe(placement), 'no such table', [])]
    }
    if (kind === 'v' || kind === 'm') return []
    const table = metadata.find(placement.table, placement.schema)
    if (placement.kind === 'reference') return compareReference(placement, table)
    if (placement.kind === 'single') return compareSingle(placement, table)
    return compareSharded(placement, table, metadata, anchors)
  })
  return Object.freeze(differences)
}

/** The table that the others of its family are held against: the first that is distributed by its key. */
interface Anchor {
  readonly placement: ShardedTable
  readonly table: CitusTable
}

function compareSharded(
  placement: ShardedTable,
  table: CitusTable | undefined,
  metadata: CitusMetadata,
  anchors: Map<string, Anchor>,
): readonly CitusDifference[] {
  const name = literal(qualified(placement))
  const column = literal(placement.key)
  const anchor = anchors.get(placement.family)
  const group = anchor ? literal(qualified(anchor.placement)) : `'none'`
  if (table?.kind !== 'distributed') {
    const away = table ? [`select undistribute_table(${name})`] : []
    const sql = [...away, `select create_distributed_table(${name}, ${column}, colocate_with => ${group})`]
    return [difference(placement, 'not-distributed', describe(placement), describeFound(table), sql)]
  }
  if (table.column !== placement.key) {
    const sql = [`select alter_distributed_table(${name}, distribution_column => ${column})`]
    return [difference(placement, 'distribution-column', placement.key, table.column ?? 'none', sql)]
  }
  const replication = compareReplication(placement, table, metadata)
  if (!anchor) {
    anchors.set(placement.family, { placement, table })
    return replication
  }
  if (table.columnType !== anchor.table.columnType) {
    const expected = `${anchor.table.columnType}, as ${anchor.placement.name} has it`
    return [...replication, difference(placement, 'distribution-type', expected, table.columnType ?? 'unknown', [])]
  }
  if (table.colocationId === anchor.table.colocationId) return replication
  const expected = `the co-location group of ${anchor.placement.name} (${anchor.table.colocationId})`
  const sql = [`select alter_distributed_table(${name}, colocate_with => ${group})`]
  return [...replication, difference(placement, 'colocation', expected, `group ${table.colocationId}`, sql)]
}

/** Citus still reads clusters whose shards have several placements, but one of them may then miss writes. */
function compareReplication(
  placement: ShardedTable,
  table: CitusTable,
  metadata: CitusMetadata,
): readonly CitusDifference[] {
  const factor = metadata.groups.get(table.colocationId)?.replicationFactor ?? 1
  if (table.replicationModel === 's' && factor === 1) return []
  const found = `${table.replicationModel === 'c' ? 'statement-based' : table.replicationModel}, ${factor} placements a shard`
  return [difference(placement, 'replication', 'streaming, one placement a shard', found, [])]
}

function compareReference(placement: ReferenceTable, table: CitusTable | undefined): readonly CitusDifference[] {
  if (table?.kind === 'reference') return []
  const name = literal(qualified(placement))
  const away = table && table.kind !== 'local' ? [`select undistribute_table(${name})`] : []
  const sql = [...away, `select create_reference_table(${name})`]
  return [difference(placement, 'not-reference', describe(placement), describeFound(table), sql)]
}

/** A table that Citus does not know is on the coordinator, which is where its statements go. */
function compareSingle(placement: SingleTable, table: CitusTable | undefined): readonly CitusDifference[] {
  if (table === undefined || table.kind === 'local' || table.kind === 'single-shard') return []
  const sql = [`select undistribute_table(${literal(qualified(placement))})`]
  return [difference(placement, 'not-local', describe(placement), describeFound(table), sql)]
}

function difference(
  placement: TablePlacement,
  problem: Problem,
  expected: string,
  found: string,
  sql: readonly string[],
): CitusDifference {
  return Object.freeze({ table: placement.name, problem, expected, found, sql: Object.freeze(sql) })
}

function describe(placement: TablePlacement): string {
  if (placement.kind === 'reference') return 'a reference table'
  if (placement.kind === 'single') return 'a table on the coordinator'
  return `a table distributed by ${placement.key}`
}

function describeFound(table: CitusTable | undefined): string {
  if (table === undefined) return 'a plain table of the coordinator'
  if (table.kind === 'distributed') return `distributed by ${table.column}`
  if (table.kind === 'reference') return 'a reference table'
  if (table.kind === 'local') return 'a table on the coordinator'
  return table.kind === 'single-shard' ? 'a table on one node' : 'distributed by range or append'
}

function qualified({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return [schema, table].map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
