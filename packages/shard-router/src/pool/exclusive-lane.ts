import { openClient } from './open-client.ts'
import type { PoolSize } from './pool-size.ts'
import { runOnSession } from './run-on-session.ts'
import type { ServerContext } from './server-context.ts'
import { Session } from './session.ts'
import { SessionLease } from './session-lease.ts'
import { SessionPool } from './session-pool.ts'
import type { Lease, RunOptions, Statement, StatementResult } from './shard-pool.ts'

/** Sessions for one use at a time: transactions, cursors, COPY, statements that are slow or not yet known. */
export class ExclusiveLane {
  readonly #context: ServerContext
  readonly #sessions: SessionPool

  constructor(context: ServerContext, size: PoolSize, verify: (session: Session) => Promise<void>) {
    this.#context = context
    this.#sessions = new SessionPool(context.address.label, size, context.clock, async (signal) => {
      const client = await openClient(context.shard, context.address, context.session, context, signal)
      const session = new Session(client, context.address, context.clock.monotonicMs())
      await verify(session)
      return session
    })
  }

  get sessions(): SessionPool {
    return this.#sessions
  }

  /** `measured` gets the duration of a statement that succeeded. */
  async execute(
    statement: Statement,
    options?: RunOptions,
    measured?: (durationMs: number) => void,
  ): Promise<StatementResult> {
    const session = await this.#sessions.acquire(options)
    try {
      const start = this.#context.clock.monotonicMs()
      const result = await runOnSession(this.#context, session, statement, options)
      measured?.(this.#context.clock.monotonicMs() - start)
      return result
    } finally {
      this.#releaseWhenFree(session)
    }
  }

  async lease(shard: number, options?: RunOptions): Promise<Lease> {
    return new SessionLease(shard, this.#context, this.#sessions, await this.#sessions.acquire(options))
  }

  close(): Promise<void> {
    return this.#sessions.close(this.#context.closeTimeoutMs)
  }

  // A statement whose caller gave up still runs on its session.
  #releaseWhenFree(session: Session): void {
    const release = () => this.#sessions.releaseClean(session)
    session.running.then(release, release)
  }
}
