import type { AnyShardPool } from '../pool/shard-pool.ts'
import { transactionError } from './transaction-error.ts'

/**
 * Checks that every shard can prepare transactions.
 * @throws TransactionError ATOMIC_COMMIT_UNAVAILABLE
 */
export async function assertAtomicCommits(pool: AnyShardPool): Promise<void> {
  const sql = "select pg_catalog.current_setting('max_prepared_transactions')::int as max"
  const unable = await Promise.all(
    pool.topology.shards.map(async ({ id }, shard) => {
      const { rows } = await pool.execute(shard, { sql, parameters: [], access: 'write', rows: 'facts' })
      return (rows[0] as { max: number }).max === 0 ? [id] : []
    }),
  )
  const shards = unable.flat()
  if (shards.length === 0 || pool.topology.shards.length === 1) return
  throw transactionError(
    'ATOMIC_COMMIT_UNAVAILABLE',
    `The router is set up for atomic writes, and max_prepared_transactions is 0 on: ${shards.join(', ')}.`,
    { details: { shards } },
  )
}
