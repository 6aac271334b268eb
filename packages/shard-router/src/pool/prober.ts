import { unanswered } from './driver-error.ts'
import { poolError } from './pool-error.ts'
import { runOnSession } from './run-on-session.ts'
import type { ServerContext } from './server-context.ts'
import type { Session } from './session.ts'
import type { RunOptions, Statement, StatementResult } from './shard-pool.ts'
import { destroySocket } from './stop-statement.ts'

/** Asks a server whether it lives, on one session kept for that. */
export class Prober {
  readonly #context: ServerContext
  readonly #open: (signal: AbortSignal) => Promise<Session>
  #session: Session | undefined
  #closed = false

  constructor(context: ServerContext, open: (signal: AbortSignal) => Promise<Session>) {
    this.#context = context
    this.#open = open
  }

  async run(statement: Statement, options: RunOptions & { readonly deadline: number }): Promise<StatementResult> {
    try {
      const session = await this.#live(options.deadline)
      return await runOnSession(this.#context, session, statement, options)
    } catch (error) {
      // Whatever it was: the next probe begins anew.
      this.#drop()
      throw isLate(error) ? unanswered(this.#context, error) : error
    }
  }

  close(): void {
    this.#closed = true
    this.#drop()
  }

  async #live(deadline: number): Promise<Session> {
    const { clock, address } = this.#context
    if (this.#session?.dead === false) return this.#session
    const leftMs = Math.max(1, deadline - clock.monotonicMs())
    const session = await this.#open(AbortSignal.timeout(Math.ceil(leftMs)))
    if (this.#closed) {
      destroySocket(session)
      throw poolError('POOL_CLOSED', `The pool of ${address.label} is closed.`, { server: address.label })
    }
    this.#session = session
    return session
  }

  #drop(): void {
    const session = this.#session
    this.#session = undefined
    if (session !== undefined) destroySocket(session)
  }
}

/** The probe's own time was over: as good as no server. */
function isLate(error: unknown): boolean {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return code === 'DEADLINE_EXCEEDED' || name === 'TimeoutError'
}
