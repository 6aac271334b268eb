import type { AnyShardPool, RunOptions } from '../pool/shard-pool.ts'

/** Asks a shard's primary, by its number. */
export type AskPool = (shard: number, sql: string, parameters: readonly unknown[]) => Promise<readonly unknown[]>

/** To follow a topology, its shards have to be looked at first: the lease comes later. */
const looking: RunOptions = Object.freeze({ withoutLease: true })

/** For what the router itself has to know of the shards. */
export function askPool(pool: AnyShardPool): AskPool {
  return async (shard, sql, parameters) => {
    const { rows } = await pool.execute(shard, { sql, parameters, access: 'write', rows: 'facts' }, looking)
    return rows
  }
}
