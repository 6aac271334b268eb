import { ShardwrightError } from '@shardwright/core'
import { poolError } from './pool-error.ts'
import type { ServerContext } from './server-context.ts'
import type { Session } from './session.ts'
import { endsSession, sqlStateOf } from './sql-state.ts'

/**
 * What a failed statement rejects with: the driver's own error with its SQLSTATE, which gains `shard` and `server`, or
 * SHARD_UNREACHABLE when the connection went away beneath it.
 */
export function tagDriverError(error: unknown, context: ServerContext, session: Session): unknown {
  if (error instanceof ShardwrightError) return error
  if (endsSession(error)) session.markDead()
  if (sqlStateOf(error) === undefined && session.dead) {
    return poolError(
      'SHARD_UNREACHABLE',
      `The connection to ${context.address.label} (shard ${context.shard}) was lost while a statement ran.`,
      { shard: context.shard, server: context.address.label, cause: error, details: { sent: true } },
    )
  }
  if (error instanceof Error) Object.assign(error, { shard: context.shard, server: context.address.label })
  return error
}
