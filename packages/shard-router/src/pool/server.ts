import { noTelemetry } from '@shardwright/core'
import { tagDriverError } from './driver-error.ts'
import { ExclusiveLane } from './exclusive-lane.ts'
import type { LaneSettings } from './lane-settings.ts'
import type { PipelinedClient } from './pipelined-client.ts'
import { PipelinedLane } from './pipelined-lane.ts'
import { PipelinedQuery, type Recover } from './pipelined-query.ts'
import { poolError } from './pool-error.ts'
import type { PoolSize } from './pool-size.ts'
import { Prober } from './prober.ts'
import type { ServerContext } from './server-context.ts'
import { type BreakerSettings, ServerGuard } from './server-guard.ts'
import type { Session } from './session.ts'
import { ShapeRegistry } from './shape-registry.ts'
import type { Lease, RunOptions, Statement, StatementResult } from './shard-pool.ts'
import { sqlStateOf } from './sql-state.ts'
import { isStalePlan } from './stale-plan.ts'
import type { LanePace } from './statement-pace.ts'
import type { StatementShape } from './statement-shape.ts'
import { StatementTelemetry } from './statement-telemetry.ts'
import { untilAbandoned } from './until-abandoned.ts'

export interface ServerSettings {
  readonly size: PoolSize
  readonly lane: LaneSettings
  readonly breaker: BreakerSettings
  /** Statements that may wait for this server before more are refused. */
  readonly bulkhead: number
}

// More values than this make a statement that holds up the ones behind it, whatever its text says.
const maxPipelinedValues = 1_000

/** One PostgreSQL server: its lanes, and the choice between them for each statement. */
export class Server {
  readonly context: ServerContext
  readonly guard: ServerGuard
  readonly exclusive: ExclusiveLane
  readonly pipelined: PipelinedLane | undefined
  readonly #prober: Prober
  readonly #settings: LaneSettings
  readonly #bulkhead: number
  readonly #shapes: ShapeRegistry
  readonly #name: string
  readonly #telemetry: StatementTelemetry | undefined
  readonly #answered = (query: PipelinedQuery, error: unknown) => this.#onAnswer(query, error)

  constructor(context: ServerContext, settings: ServerSettings, verify: (session: Session) => Promise<void>) {
    const { lane, size } = settings
    this.context = context
    this.#settings = lane
    this.#bulkhead = settings.bulkhead
    this.guard = new ServerGuard(context, settings.breaker)
    this.#shapes = new ShapeRegistry(lane.maxShapes)
    this.#name = context.role === 'primary' ? 'primary' : context.address.label
    this.#telemetry = context.telemetry === noTelemetry ? undefined : new StatementTelemetry(context)
    this.exclusive = new ExclusiveLane(context, size, verify, this.#telemetry)
    this.#prober = new Prober(context, (signal) => this.exclusive.open(signal))
    // A pooler in transaction mode keeps no lock_timeout per client, without which a pipeline can deadlock unseen.
    const fits = lane.pipeline && context.address.pooler !== 'pgbouncer-transaction'
    this.pipelined = fits ? new PipelinedLane(context, lane, size.maxLifetimeMs, verify) : undefined
  }

  /** Statements that were sent or wait to be. */
  get outstanding(): number {
    const { leasedCount, waitingCount } = this.exclusive.sessions
    return leasedCount + waitingCount + (this.pipelined?.inFlight ?? 0)
  }

  /** Runs one autocommit statement on the lane that fits it; `recover` is asked about a failure before the caller is told. */
  execute(statement: Statement, options?: RunOptions, recover?: Recover): Promise<StatementResult> {
    if (this.guard.closed) return this.#run(statement, options, recover)
    const running = this.guard.run(() => this.#run(statement, options, undefined))
    if (recover === undefined) return running
    return running.catch((error: unknown) => orThrow(recover(error, statement, options), error))
  }

  /** A statement of ours that tells whether the server lives, on a session of its own: busy pools say nothing about that. */
  probe(statement: Statement, options: RunOptions & { readonly deadline: number }): Promise<StatementResult> {
    return this.guard.closed
      ? this.#prober.run(statement, options)
      : this.guard.run(() => this.#prober.run(statement, options))
  }

  #run(statement: Statement, options: RunOptions | undefined, recover: Recover | undefined): Promise<StatementResult> {
    const lane = this.pipelined
    const shape = this.#shapes.shapeOf(statement.sql)
    if (lane === undefined || !this.#fits(shape, statement, options)) {
      return this.#alone(shape, statement, options, recover)
    }
    const client = lane.pick()
    if (client !== undefined && client.inFlight >= this.#bulkhead) return Promise.reject(this.#overloaded())
    const running =
      client === undefined
        ? this.#sendWhenOpen(lane, shape, statement, options, recover)
        : this.#send(client, shape, statement, options, recover, false)
    return options?.signal === undefined && options?.deadline === undefined
      ? running
      : untilAbandoned(this.context, running, options)
  }

  async lease(shard: number, options?: RunOptions): Promise<Lease> {
    const acquire = () => this.exclusive.lease(shard, options)
    if (!this.guard.closed) return await this.guard.run(acquire)
    if (this.exclusive.sessions.waitingCount >= this.#bulkhead) throw this.#overloaded()
    try {
      return await acquire()
    } catch (error) {
      this.guard.failed(error)
      throw error
    }
  }

  /** Gives up what is under way on the pipelined lane of a server that does not answer. */
  abandon(): void {
    this.pipelined?.abandon()
  }

  /** Gives up all single statements: another server can answer them. */
  abandonReads(): void {
    this.abandon()
    this.exclusive.abandon()
  }

  async warm(): Promise<void> {
    await Promise.all([this.exclusive.sessions.warm(), this.pipelined?.open()])
  }

  async close(): Promise<void> {
    this.#prober.close()
    await Promise.all([this.exclusive.close(), this.pipelined?.close()])
  }

  #fits(shape: StatementShape, statement: Statement, options: RunOptions | undefined): boolean {
    if (!shape.pipelinable || statement.parameters.length > maxPipelinedValues) return false
    return !this.#wantsOwnSession(shape, options) && shape.pace.takesLane(this.context.clock, this.#settings)
  }

  #wantsOwnSession(shape: StatementShape, options: RunOptions | undefined): boolean {
    if (options === undefined) return false
    const { signal, abortStrategy, deadline } = options
    if (signal !== undefined && abortStrategy !== undefined && abortStrategy !== 'ignore query') return true
    // With little time left the server itself has to stop the statement exactly then.
    return deadline !== undefined && deadline - this.context.clock.monotonicMs() < shape.pace.serviceMs * 10
  }

  async #alone(
    shape: StatementShape,
    statement: Statement,
    options: RunOptions | undefined,
    recover: Recover | undefined,
  ): Promise<StatementResult> {
    if (this.exclusive.sessions.waitingCount >= this.#bulkhead) throw this.#overloaded()
    try {
      const result = await this.exclusive.execute(statement, options, (durationMs) => {
        shape.pace.learnBeside(durationMs, this.context.clock.monotonicMs(), this.#settings)
      })
      this.guard.succeeded()
      return result
    } catch (error) {
      this.guard.failed(error)
      return await orThrow(recover?.(error, statement, options), error)
    }
  }

  async #sendWhenOpen(
    lane: PipelinedLane,
    shape: StatementShape,
    statement: Statement,
    options: RunOptions | undefined,
    recover: Recover | undefined,
  ): Promise<StatementResult> {
    let client: PipelinedClient
    try {
      client = await lane.open()
    } catch (error) {
      this.guard.failed(error)
      return await orThrow(recover?.(error, statement, options), error)
    }
    return await this.#send(client, shape, statement, options, recover, false)
  }

  #send(
    client: PipelinedClient,
    shape: StatementShape,
    statement: Statement,
    options: RunOptions | undefined,
    recover: Recover | undefined,
    again: boolean,
  ): Promise<StatementResult> {
    return new Promise((resolve, reject) => {
      const { types, clock, checkCurrent } = this.context
      checkCurrent?.()
      const query = new PipelinedQuery(client, shape, statement, types, this.#answered, resolve, reject)
      query.options = options
      query.recover = recover
      query.again = again
      if (this.#telemetry !== undefined) query.span = this.#telemetry.start(statement.sql, 'pipelined')
      query.sentAt = clock.monotonicMs()
      client.send(query)
      if (statement.followedBy !== undefined) query.follower = this.#follow(client, statement.followedBy)
    })
  }

  #follow(client: PipelinedClient, statement: Statement): Promise<StatementResult | undefined> | undefined {
    return client.follow(statement, (follower) => {
      const shape = this.#shapes.shapeOf(follower.sql)
      shape.accompanies = true
      return this.#send(client, shape, follower, undefined, undefined, false)
    })
  }

  #onAnswer(query: PipelinedQuery, error: unknown): void {
    const { client, shape, form } = query
    const now = this.context.clock.monotonicMs()
    // A statement starts when the one before it is answered, however long it was queued.
    const durationMs = now - Math.max(query.sentAt, client.lastAnswerAt)
    client.lastAnswerAt = now
    client.inFlight--
    if (error !== undefined) {
      this.#onFailure(query, error, durationMs)
      return
    }
    if (form.parse && form.name !== '') client.keep(shape, form, shape.sharedReader(query.reader))
    shape.pace.learnOnLane(durationMs, query.sentAt, now, this.#lanePace)
    if (!shape.accompanies) this.pipelined!.learn(durationMs)
    this.guard.succeeded()
    if (query.span !== undefined) {
      this.#telemetry!.succeeded(shape.sql, 'pipelined', now - query.sentAt, query.rowCount, query.span)
    }
    const result = query.result(this.#name)
    const { follower } = query
    query.resolve(
      follower === undefined
        ? result
        : follower.then((answer) => (answer ? { ...result, followedBy: answer } : result)),
    )
  }

  #onFailure(query: PipelinedQuery, error: unknown, durationMs: number): void {
    const { client, shape, form, span } = query
    if (span !== undefined) {
      const waitedMs = this.context.clock.monotonicMs() - query.sentAt
      this.#telemetry!.failed(shape.sql, 'pipelined', waitedMs, error, span)
    }
    if (form.parse && form.name !== '') client.forget(shape, form)
    const verdict = this.#verdict(query, error, durationMs)
    if (verdict === 'again' && client.usable) {
      client.forget(shape, form)
      this.#send(client, shape, query.statement, query.options, query.recover, true).then(query.resolve, query.reject)
    } else if (verdict !== undefined) {
      this.#alone(shape, query.statement, query.options, query.recover).then(query.resolve, query.reject)
    } else {
      const tagged = tagDriverError(error, this.context, client.session)
      this.guard.failed(tagged)
      const recovery = this.#isGivenUp(query.options)
        ? undefined
        : query.recover?.(tagged, query.statement, query.options)
      if (recovery === undefined) query.reject(tagged)
      else recovery.then(query.resolve, query.reject)
    }
  }

  /** All of these failed as a whole in a transaction of their own: nothing of them was done, so that they may run again. */
  #verdict(query: PipelinedQuery, error: unknown, durationMs: number): 'again' | 'alone' | undefined {
    if (this.#isGivenUp(query.options)) return undefined
    const state = sqlStateOf(error)
    if (state === undefined) return undefined
    const now = this.context.clock.monotonicMs()
    if (isStalePlan(error)) return query.again ? 'alone' : 'again'
    if (state === '55P03') {
      query.shape.pace.learnOnLane(this.#settings.lockTimeoutMs, query.sentAt, now, this.#lanePace)
      return 'alone'
    }
    // Somebody else may cancel too (57014): only the lane's own cap is worth another run.
    if (state === '57014' && durationMs >= this.#settings.capMs * 0.9) {
      query.shape.pace.exceeded(durationMs, now)
      return 'alone'
    }
    return undefined
  }

  get #lanePace(): LanePace {
    return { slowMs: this.#settings.slowMs, usualMs: this.pipelined?.usualMs ?? 0 }
  }

  #isGivenUp(options: RunOptions | undefined): boolean {
    if (options?.signal?.aborted === true) return true
    return options?.deadline !== undefined && options.deadline <= this.context.clock.monotonicMs()
  }

  #overloaded(): Error {
    const { address, shard } = this.context
    const message = `${this.#bulkhead} statements wait for ${address.label} (shard ${shard}) already.`
    return poolError('SHARD_OVERLOADED', message, { shard, server: address.label })
  }
}

async function orThrow(recovery: Promise<StatementResult> | undefined, error: unknown): Promise<StatementResult> {
  if (recovery === undefined) throw error
  return await recovery
}
