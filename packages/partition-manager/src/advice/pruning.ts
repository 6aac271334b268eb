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

interface PlanNode {
  readonly Schema?: string
  readonly 'Relation Name'?: string
  readonly Plans?: readonly PlanNode[]
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
  const explained = await connection.query<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }>(
    `explain (format json, verbose) ${query.sql}`,
    query.parameters,
  )
  const read = new Set<string>()
  for (const { Plan } of explained.rows[0]?.['QUERY PLAN'] ?? []) collect(Plan, leaves, read)
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

function collect(node: PlanNode, leaves: ReadonlySet<string>, read: Set<string>): void {
  const name = `${node.Schema}.${node['Relation Name']}`
  if (leaves.has(name)) read.add(name)
  for (const child of node.Plans ?? []) collect(child, leaves, read)
}

function adviceOf(report: Omit<PruningReport, 'advice'>, policy: PartitionPolicy): PartitionProblem | undefined {
  if (report.total < 2 || report.scanned < report.total) return undefined
  return problem(
    'PARTITION_NOT_PRUNED',
    'warning',
    `The query reads all ${report.total} partitions of ${policy.schema}.${policy.table}: no predicate on ${policy.by} prunes.`,
  )
}
