import { notSent, unanswered } from './driver-error.ts'
import { endQuietly, openLaneClient } from './open-client.ts'
import type { PoolSize } from './pool-size.ts'
import { runMeasured } from './run-measured.ts'
import type { ServerContext } from './server-context.ts'
import { Session } from './session.ts'
import { SessionLease } from './session-lease.ts'
import { SessionPool } from './session-pool.ts'
import type { Lease, RunOptions, Statement, StatementResult } from './shard-pool.ts'
import type { StatementTelemetry } from './statement-telemetry.ts'
import { destroySocket } from './stop-statement.ts'

/** Sessions for one use at a time: transactions, cursors, COPY, statements that are slow or not yet known. */
export class ExclusiveLane {
  readonly #context: ServerContext
  readonly #sessions: SessionPool
  readonly #verify: (session: Session) => Promise<void>
  readonly #telemetry: StatementTelemetry | undefined
  readonly #executing = new Set<Session>()

  constructor(
    context: ServerContext,
    size: PoolSize,
    verify: (session: Session) => Promise<void>,
    telemetry?: StatementTelemetry,
  ) {
    this.#context = context
    this.#telemetry = telemetry
    this.#verify = verify
    this.#sessions = new SessionPool(
      context.address.label,
      size,
      context.clock,
      (signal) => this.open(signal),
      context.budget,
    )
  }

  /** A session that no pool knows; the caller ends it. */
  async open(signal?: AbortSignal): Promise<Session> {
    const context = this.#context
    const client = await openLaneClient(context, {}, signal)
    const session = new Session(client, context.address, context.clock.monotonicMs(), context.names)
    try {
      await this.#verify(session)
    } catch (error) {
      endQuietly(client)
      throw notSent(error, context, session)
    }
    return session
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
    const session = await this.#acquire(options)
    this.#executing.add(session)
    try {
      const start = this.#context.clock.monotonicMs()
      const result = await runMeasured(this.#context, session, statement, options, 'exclusive', this.#telemetry)
      measured?.(this.#context.clock.monotonicMs() - start)
      return result
    } finally {
      this.#executing.delete(session)
      this.#releaseWhenFree(session)
    }
  }

  /** The server does not answer: cuts single statements and refuses who waits. What was leased is its holder's to end. */
  abandon(): void {
    for (const session of this.#executing) destroySocket(session)
    this.#sessions.refuseWaiting(() => unanswered(this.#context))
  }

  async lease(shard: number, options?: RunOptions): Promise<Lease> {
    const session = await this.#acquire(options)
    return new SessionLease(shard, this.#context, this.#sessions, session, this.#telemetry)
  }

  async #acquire(options: RunOptions | undefined): Promise<Session> {
    if (this.#telemetry === undefined) return await this.#sessions.acquire(options)
    const start = this.#context.clock.monotonicMs()
    const session = await this.#sessions.acquire(options)
    this.#telemetry.waited(this.#context.clock.monotonicMs() - start)
    return session
  }

  close(): Promise<void> {
    return this.#sessions.close(this.#context.closeTimeoutMs)
  }

  // A statement whose caller gave up still runs on its session.
  #releaseWhenFree(session: Session): void {
    const release = () => this.#sessions.releaseClean(session)
    session.free.then(release, release)
  }
}
