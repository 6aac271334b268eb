import { setTimeout as sleep } from 'node:timers/promises'
import { poolError } from './pool-error.ts'
import type { ServerContext } from './server-context.ts'
import { readIncarnation, type ServerIncarnation } from './server-incarnation.ts'
import type { Session } from './session.ts'
import { sqlStateOf } from './sql-state.ts'

/** The sessions of one server that live, by the process of the server behind each. */
export class Backends {
  readonly #sessions = new Map<number, Session>()
  #last: Promise<unknown> = Promise.resolve()

  /** One look after the other: of two at once each would be given a process of its own. */
  inTurn<T>(look: () => Promise<T>): Promise<T> {
    const looked = this.#last.then(look)
    this.#last = looked.catch(() => {})
    return looked
  }

  add(processId: number, session: Session): void {
    this.#sessions.set(processId, session)
    session.client.once('end', () => {
      if (this.#sessions.get(processId) === session) this.#sessions.delete(processId)
    })
  }

  /** True when another session that lives has the same process behind it. */
  isShared(processId: number, session: Session): boolean {
    const other = this.#sessions.get(processId)
    return other !== undefined && other !== session && !other.dead
  }
}

/**
 * Reads which server a session is on, and refuses one before which stands something else than its topology says: settings
 * would be lost, or be another client's, and nothing would tell.
 * @throws ConnectionError POOLER_MISMATCH
 */
export async function meetServer(context: ServerContext, session: Session): Promise<ServerIncarnation> {
  const look = async () => {
    const incarnation = await readIncarnation(session.client)
    await checkPooler(context, session, incarnation.processId)
    return incarnation
  }
  return context.address.pooler === 'pgbouncer-session' ? await context.backends.inTurn(look) : await look()
}

async function checkPooler(context: ServerContext, session: Session, processId: number): Promise<void> {
  const { address, backends } = context
  if (address.pooler === 'direct' && processId !== session.processId) {
    // A pooler answers in the server's place, with a number of its own.
    throw mismatch(context, 'is behind a pooler, which the topology does not say')
  }
  if (address.pooler !== 'pgbouncer-session') return
  // Of a session that has just ended, this side may not have heard yet.
  if (backends.isShared(processId, session)) await sleep(heardWithinMs)
  if (backends.isShared(processId, session)) {
    throw mismatch(context, 'gives one process of the server to several sessions: its pooler is not in session mode')
  }
  backends.add(processId, session)
}

const heardWithinMs = 100

/** The error of a statement whose name its session did not know any more, where a pooler is the reason. */
export function lostName(context: ServerContext, cause: unknown): Error | undefined {
  const { pooler } = context.address
  if (pooler === 'direct' || sqlStateOf(cause) !== '26000') return undefined
  const what = 'has lost a prepared statement: its pooler keeps none for its clients'
  return mismatch(context, what, { cause, ...(pooler === 'pgbouncer-session' ? {} : { hint: unnamedHint }) })
}

const unnamedHint = 'Leave `preparedStatements` out: it needs PgBouncer 1.21 or later with max_prepared_statements set.'

function mismatch(
  { shard, address }: ServerContext,
  what: string,
  more: { readonly cause?: unknown; readonly hint?: string } = {},
): Error {
  return poolError('POOLER_MISMATCH', `${address.label} (shard ${shard}) ${what}.`, {
    shard,
    server: address.label,
    details: { pooler: address.pooler, sent: false },
    ...more,
  })
}
