import { ShardwrightError } from '@shardwright/core'
import { sqlStateOf } from './sql-state.ts'

/** True when the server could not be reached or the connection to it went away. */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof ShardwrightError) return error.code === 'SHARD_UNREACHABLE'
  const state = sqlStateOf(error)
  return state !== undefined && sessionEnded.has(state)
}

/** True when the server ended this one session and said so: an administrator did, or it was idle for too long. */
export function wasEnded(error: unknown): boolean {
  const state = sqlStateOf(error)
  return state === '57P01' || state === idleSessionTimeout
}

/** True when the server admits no more sessions: those that are open work on. */
export function isFull(error: unknown): boolean {
  return sqlStateOf(error instanceof ShardwrightError ? error.cause : error) === tooManyConnections
}

const tooManyConnections = '53300'

export const idleSessionTimeout = '57P05'

// Admin shutdown, crash shutdown, starting up, idle session timeout, connection failures.
const sessionEnded = new Set(['57P01', '57P02', '57P03', '57P05', '08000', '08003', '08006'])
// Rolled back as a whole: serialization failure (also a recovery conflict on a replica) and deadlock.
const rolledBack = new Set(['40001', '40P01'])

/** True when the server rolled a transaction back for the sake of another one. */
export function isRolledBack(error: unknown): boolean {
  const state = sqlStateOf(error)
  return state !== undefined && rolledBack.has(state)
}

/** A standby (or a server set read-only) refused a write. */
export const readOnlyServer = '25006'

const notSent = new Set(['CIRCUIT_OPEN', 'NO_PRIMARY', 'SHARD_UNREACHABLE'])

/**
 * True when an autocommit statement that failed so may be sent again: a read always, a write only where it is certain
 * that nothing of it was done.
 */
export function isSafeAgain(error: unknown, access: 'read' | 'write'): boolean {
  if (error instanceof ShardwrightError) {
    if (!notSent.has(error.code)) return false
    return access === 'read' || error.details.sent === false
  }
  const state = sqlStateOf(error)
  if (state === undefined) return false
  // Waiting for a command is all that the session did.
  if (state === idleSessionTimeout) return true
  // A standby refused the write: the primary has moved.
  if (rolledBack.has(state) || state === readOnlyServer) return true
  return access === 'read' && sessionEnded.has(state)
}

/** True when nothing was done: the server answered with an error, by which it rolls back, or was never asked. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof ShardwrightError && error.details.sent === false) return true
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P)/.test(code)
}
