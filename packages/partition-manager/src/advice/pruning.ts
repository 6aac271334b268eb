import type { FleetConnection } from '@shardwright/core'
import type { PartitionProblem } from '../plan/partition-plan.ts'
import { problem } from '../plan/problem.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { qualified } from '../sql/identifier.ts'

/** What a query reads of a partitioned table, from EXPLAIN on a shard; the query itself is not run. */
export interface PruningReport {
  readonly shard: string
  readonly sql: string
  /** Partitions that the plan reads, and those of the table. */
  readonly scanned: number
  readonly total: number
  /** Set when nothing was pruned although there was something to prune. */
  readonly advice: PartitionProblem | undefined
}

/** A statement with its parameters, as Kysely compiles it. */
export interface ExplainableQuery {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/**
 * Says how many partitions a query reads. EXPLAIN plans with the parameters given, so a bound value prunes as it would
 * when the query runs.
 * @example
 * const { scanned, total } = await explainPruning(connection, transactions, query.compile())
 */
export async function explainPruning(
  connection: FleetConnection,
  policy: PartitionPolicy,
  query: ExplainableQuery,
): Promise<PruningReport> {
  const leaves = await leavesOf(connection, policy)
  const relations = new Map([...leaves].map((leaf) => [leaf, leaf]))
  for (const [shard, leaf] of await citusShardsOf(connection, policy)) relations.set(shard, leaf)
  const explained = await connection.query<{ 'QUERY PLAN': unknown }>(
    `explain (format json, verbose) ${query.sql}`,
    query.parameters,
  )
  const read = new Set<string>()
  collect(explained.rows[0]?.['QUERY PLAN'], relations, read)
  const report = { shard: connection.shardId, sql: query.sql, scanned: read.size, total: leaves.size }
  return Object.freeze({ ...report, advice: adviceOf(report, policy) })
}

async function leavesOf(connection: FleetConnection, policy: PartitionPolicy): Promise<ReadonlySet<string>> {
  const { rows } = await connection.query<{ name: string }>(
    `select n.nspname || '.' || c.relname as name
       from pg_partition_tree(to_regclass($1)) t join pg_class c on c.oid = t.relid
       join pg_namespace n on n.oid = c.relnamespace where t.isleaf`,
    [qualified(policy.schema, policy.table)],
  )
  return new Set(rows.map((row) => row.name))
}

/** The shards of the partitions, by schema and name, where Citus has any: plans of its tasks name them. */
async function citusShardsOf(
  connection: FleetConnection,
  policy: PartitionPolicy,
): Promise<ReadonlyMap<string, string>> {
  const { rows: found } = await connection.query<{ citus: boolean }>(
    "select to_regclass('pg_catalog.pg_dist_shard') is not null as citus",
  )
  if (found[0]?.citus !== true) return new Map()
  const { rows } = await connection.query<{ shard: string; leaf: string }>(
    `select n.nspname || '.' || (select name from unnest(parse_ident(shard_name(s.logicalrelid, s.shardid)))
              with ordinality as part (name, at) order by at desc limit 1) as shard,
            n.nspname || '.' || c.relname as leaf
       from pg_partition_tree(to_regclass($1)) t join pg_class c on c.oid = t.relid
       join pg_namespace n on n.oid = c.relnamespace
       join pg_catalog.pg_dist_shard s on s.logicalrelid = t.relid where t.isleaf`,
    [qualified(policy.schema, policy.table)],
  )
  return new Map(rows.map(({ shard, leaf }) => [shard, leaf]))
}

/** Nodes of the plan at any depth: Citus has the plans of its tasks and subplans inside its own node. */
function collect(value: unknown, relations: ReadonlyMap<string, string>, read: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  const { Schema, 'Relation Name': name } = value as Record<string, unknown>
  const leaf = relations.get(`${Schema}.${name}`)
  if (leaf !== undefined) read.add(leaf)
  for (const child of Object.values(value)) collect(child, relations, read)
}

function adviceOf(report: Omit<PruningReport, 'advice'>, policy: PartitionPolicy): PartitionProblem | undefined {
  if (report.total < 2 || report.scanned < report.total) return undefined
  return problem(
    'PARTITION_NOT_PRUNED',
    'warning',
    `The query reads all ${report.total} partitions of ${policy.schema}.${policy.table}: no predicate on ${policy.by} prunes.`,
  )
}
