import { type CommitToken, currentReadContext, type Telemetry } from '@shardwright/core'
import type { AnyShardPool } from '../pool/shard-pool.ts'
import { unknownPlaceOn } from '../pool/unknown-place.ts'

/**
 * The place of a commit in its shard's log. The commit stands whether or not it can be read: who hears an error of COMMIT
 * may do the work again.
 */
export async function tokenAfterCommit(
  pool: Pick<AnyShardPool, 'commitToken' | 'topology'>,
  telemetry: Telemetry,
  shard: number,
  incarnation?: string,
): Promise<CommitToken> {
  try {
    return await pool.commitToken(shard)
  } catch (error) {
    const token = unknownPlace(pool, shard, incarnation)
    const why = error instanceof Error ? error.message : String(error)
    telemetry.log('warn', `No commit token of shard '${token.shard}': ${why}`, { shard: token.shard })
    return token
  }
}

/** For what may have committed by itself: a context that reads afterwards has its place. Without one, nothing is asked. */
export async function addToken(
  pool: Pick<AnyShardPool, 'commitToken' | 'topology'>,
  telemetry: Telemetry,
  shard: number,
): Promise<void> {
  const context = currentReadContext()
  if (context !== undefined) context.add(await tokenAfterCommit(pool, telemetry, shard))
}

/** True when a read has moved its context on: a replica that it is sent to next might show less. */
export function readsOnwards({ topology }: Pick<AnyShardPool, 'topology'>, shard: number): boolean {
  const context = currentReadContext()
  const found = context && topology.shards[shard]
  return found !== undefined && found.replicas.length > 0 && context?.tokenOf(found.id) !== undefined
}

/** The token of a commit whose place in the log is not known. */
export function unknownPlace(
  { topology }: Pick<AnyShardPool, 'topology'>,
  shard: number,
  incarnation?: string,
): CommitToken {
  return unknownPlaceOn(topology.shards[shard]?.id ?? String(shard), topology.epoch, incarnation)
}
