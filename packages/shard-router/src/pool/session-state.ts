import { poolError } from './pool-error.ts'
import type { ServerContext } from './server-context.ts'
import type { Session } from './session.ts'
import { asksForSequences, leftBehind } from './session-effect.ts'
import type { Statement } from './shard-pool.ts'
import { destroySocket } from './stop-statement.ts'

/**
 * Notes what a statement that is about to be sent leaves in the session, as far as its text shows it.
 * @throws ConnectionError NOT_BEHIND_POOLER where the session is not the client's: the pooler lends it to whoever is next
 */
export function noteState(context: ServerContext, session: Session, { sql, parameters }: Statement): void {
  const left = leftBehind(sql, parameters)
  if (left === undefined) return
  if (session.address.pooler === 'pgbouncer-transaction') {
    const { shard, address } = context
    throw poolError(
      'NOT_BEHIND_POOLER',
      `The statement leaves something in its session, which ${address.label} (shard ${shard}), a pooler in transaction mode, lends to others.`,
      { shard, server: address.label },
    )
  }
  session.leave(left)
}

/**
 * The sequences that the holders before have moved are not this one's: `lastval()` has no answer before it has moved one.
 * Undefined: there is nothing to forget.
 */
export function forgetSequences(session: Session, { sql, access }: Statement): Promise<unknown> | undefined {
  const { wrote } = session
  if (access === 'write') session.wrote = true
  if (wrote || session.address.pooler === 'pgbouncer-transaction' || !asksForSequences(sql)) return undefined
  return session.client.query('discard sequences')
}

const resetTimeoutMs = 5_000

/** Takes away what statements have left in an idle session; false: it has to be closed. Never rejects. */
export async function asNew(session: Session): Promise<boolean> {
  const { client, left, address } = session
  const timer = setTimeout(() => destroySocket(session), resetTimeoutMs)
  try {
    await client.query('discard all')
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
  // Behind a pooler the settings of a new session were given to it by SET, and are gone too.
  if (left === 'lasting' || address.pooler !== 'direct' || session.altered) return false
  session.left = undefined
  session.statementTimeoutMs = 0
  session.statements.clear()
  return true
}
