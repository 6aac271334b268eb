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
  return tag(error, context, session, true)
}

/** The same for a failure before the statement itself was sent: it may be sent again, whatever it does. */
export function notSent(error: unknown, context: ServerContext, session: Session): unknown {
  return tag(error, context, session, false)
}

/** The server did not answer what was asked of it before the statement itself. */
export function unanswered({ shard, address }: ServerContext, cause?: unknown): Error {
  const server = address.label
  const message = `${server} (shard ${shard}) does not answer.`
  return poolError('SHARD_UNREACHABLE', message, { shard, server, cause, details: { sent: false } })
}

function tag(error: unknown, context: ServerContext, session: Session, sent: boolean): unknown {
  if (error instanceof ShardwrightError) return error
  if (endsSession(error)) session.markDead()
  if (sqlStateOf(error) === undefined && session.dead) {
    return poolError(
      'SHARD_UNREACHABLE',
      `The connection to ${context.address.label} (shard ${context.shard}) was lost while a statement ran.`,
      { shard: context.shard, server: context.address.label, cause: error, details: { sent } },
    )
  }
  if (error instanceof Error) Object.assign(error, { shard: context.shard, server: context.address.label })
  return error
}
