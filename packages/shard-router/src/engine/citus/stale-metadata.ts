import { ShardwrightError } from '@shardwright/core'
import { isUnreachable } from '../../pool/safe-again.ts'
import { sqlStateOf } from '../../pool/sql-state.ts'

const unreached = new Set([
  'SHARD_UNREACHABLE',
  'CIRCUIT_OPEN',
  'NO_PRIMARY',
  'AUTHENTICATION_FAILED',
  'DATABASE_NOT_FOUND',
])

/** The node could not be reached, or the connection to it went away: the coordinator may know more. */
export function isNodeGone(error: unknown): boolean {
  return error instanceof ShardwrightError ? unreached.has(error.code) : isUnreachable(error)
}

/** `relation "orders_102008" does not exist`: a shard, by the number at its end, that a move or split has just dropped. */
const shardName = /_\d{6,}\b/

/** A shard left, or was split, between the planning of a statement and its run. */
export function isShardGone(error: unknown): boolean {
  const state = sqlStateOf(error)
  return state === '42P01' && shardName.test(String((error as Error).message))
}
