import type { FleetConnection } from '@shardwright/core'
import type { PartitionProblem } from '../plan/partition-plan.ts'
import { problem } from '../plan/problem.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { qualified } from '../sql/identifier.ts'

/** What one query over all partitions takes of the server's lock table. */
export interface LockReport {
  readonly shard: string
  /** The parent, its partitions and all their indexes: each is locked by a query that prunes nothing. */
  readonly locksPerQuery: number
  /** max_locks_per_transaction * (max_connections + max_prepared_transactions). */
  readonly lockTable: number
  /** How many such queries fit at once. */
  readonly queriesAtOnce: number
  /** Set when fewer than half of the connections could run such a query at once. */
  readonly advice: PartitionProblem | undefined
}

interface LockRow {
  readonly locks: number
  readonly per_transaction: number
  readonly connections: number
  readonly prepared: number
}

/**
 * Says, with figures, whether the partitions of a table are too many for `max_locks_per_transaction`.
 * @example
 * const { advice } = await lockAdvice(connection, transactions)
 * if (advice) console.warn(advice.message)
 */
export async function lockAdvice(connection: FleetConnection, policy: PartitionPolicy): Promise<LockReport> {
  const { rows } = await connection.query<LockRow>(
    `select (select count(*) + coalesce(sum((select count(*) from pg_index x where x.indrelid = t.relid)), 0)
               from pg_partition_tree(to_regclass($1)) t)::int as locks,
            current_setting('max_locks_per_transaction')::int as per_transaction,
            current_setting('max_connections')::int as connections,
            current_setting('max_prepared_transactions')::int as prepared`,
    [qualified(policy.schema, policy.table)],
  )
  const row = rows[0] as LockRow
  const lockTable = row.per_transaction * (row.connections + row.prepared)
  const queriesAtOnce = row.locks === 0 ? row.connections : Math.floor(lockTable / row.locks)
  const enough = queriesAtOnce >= row.connections / 2
  return Object.freeze({
    shard: connection.shardId,
    locksPerQuery: row.locks,
    lockTable,
    queriesAtOnce,
    advice: enough
      ? undefined
      : problem(
          'PARTITION_LOCK_TABLE_SMALL',
          'warning',
          `A query over all partitions of ${policy.schema}.${policy.table} takes ${row.locks} of ${lockTable} locks ` +
            `(max_locks_per_transaction ${row.per_transaction}): ${queriesAtOnce} at once fit, with ${row.connections} connections; ` +
            `${Math.ceil((row.locks * row.connections) / 2 / (row.connections + row.prepared))} would let half of them.`,
        ),
  })
}
