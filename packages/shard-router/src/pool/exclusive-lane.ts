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

  async execute(statement: Statement, options?: RunOptions): Promise<StatementResult> {
    const session = await this.#sessions.acquire(options)
    try {
      return await runOnSession(this.#context, session, statement, options)
    } finally {
      this.#releaseWhenFree(session)
    }
  }

  async lease(shard: number, options?: RunOptions): Promise<Lease> {
    return new SessionLease(shard, this.#context, this.#sessions, await this.#sessions.acquire(options))
  }

  close(): Promise<void> {
    return this.#sessions.close()
  }

  // A statement whose caller gave up still runs on its session.
  #releaseWhenFree(session: Session): void {
    const release = () => this.#sessions.release(session)
    session.running.then(release, release)
  }
}
