import { noTelemetry } from '@shardwright/core'
import { ExclusiveLane } from './exclusive-lane.ts'
import { HangWatch } from './hang-watch.ts'
import type { LaneSettings } from './lane-settings.ts'
import { isLarge } from './large-parameters.ts'
import { orThrow } from './or-throw.ts'
import { PipelinedLane } from './pipelined-lane.ts'
import type { Recover } from './pipelined-query.ts'
import { PipelinedRunner } from './pipelined-runner.ts'
import { poolError } from './pool-error.ts'
import type { PoolSize } from './pool-size.ts'
import { Prober } from './prober.ts'
import type { ServerContext } from './server-context.ts'
import { type BreakerSettings, ServerGuard } from './server-guard.ts'
import { ServerTrial } from './server-trial.ts'
import type { Session } from './session.ts'
import { ShapeRegistry } from './shape-registry.ts'
import type { Lease, LeaseOptions, RunOptions, Statement, StatementResult } from './shard-pool.ts'
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

/** One PostgreSQL server: its lanes, and the choice between them for each statement. */
export class Server {
  readonly context: ServerContext
  readonly guard: ServerGuard
  readonly exclusive: ExclusiveLane
  readonly pipelined: PipelinedLane | undefined
  readonly #prober: Prober
  readonly #trial: ServerTrial
  readonly #watch: HangWatch
  readonly #settings: LaneSettings
  readonly #bulkhead: number
  /** Past a pooler in transaction mode, for who keeps a session. */
  readonly #kept: ExclusiveLane | undefined
  readonly #shapes: ShapeRegistry
  readonly #runner: PipelinedRunner | undefined

  constructor(context: ServerContext, settings: ServerSettings, verify: (session: Session) => Promise<void>) {
    const { lane, size } = settings
    this.context = context
    this.#settings = lane
    this.#bulkhead = settings.bulkhead
    this.guard = new ServerGuard(context, settings.breaker)
    this.#shapes = new ShapeRegistry(lane.maxShapes)
    const telemetry = context.telemetry === noTelemetry ? undefined : new StatementTelemetry(context)
    this.exclusive = new ExclusiveLane(context, size, verify, telemetry)
    const past = pastTransactionPooler(context)
    this.#kept = past && new ExclusiveLane(past, { ...size, minimum: 0 }, verify, telemetry)
    const probe = () => new Prober(context, (signal) => this.exclusive.open(signal))
    this.#prober = probe()
    this.#trial = new ServerTrial(context, this.guard, probe)
    this.#watch = new HangWatch(context, this.exclusive.sessions, this.guard, lane.capMs + lane.answerGraceMs)
    // A pooler in transaction mode keeps no lock_timeout per client, without which a pipeline can deadlock unseen.
    const fits = lane.pipeline && context.address.pooler !== 'pgbouncer-transaction'
    this.pipelined = fits ? new PipelinedLane(context, lane, size.maxLifetimeMs, verify) : undefined
    this.#runner =
      this.pipelined &&
      new PipelinedRunner(context, lane, this.pipelined, this.#shapes, this.guard, telemetry, (query) =>
        this.#alone(query.shape, query.statement, query.options, query.recover),
      )
  }

  /** Statements that were sent or wait to be. */
  get outstanding(): number {
    const { leasedCount, waitingCount } = this.exclusive.sessions
    return leasedCount + waitingCount + (this.pipelined?.inFlight ?? 0)
  }

  /** Runs one autocommit statement on the lane that fits it; `recover` is asked about a failure before the caller is told. */
  execute(statement: Statement, options?: RunOptions, recover?: Recover): Promise<StatementResult> {
    if (options?.signal?.aborted === true) return Promise.reject(options.signal.reason)
    return this.guard.closed ? this.#run(statement, options, recover) : this.#runAfterTrial(statement, options, recover)
  }

  async #runAfterTrial(
    statement: Statement,
    options: RunOptions | undefined,
    recover: Recover | undefined,
  ): Promise<StatementResult> {
    try {
      await this.#trial.pass(options)
    } catch (error) {
      return await orThrow(recover?.(error, statement, options), error)
    }
    return await this.#run(statement, options, recover)
  }

  /** A statement of ours that tells whether the server lives, on a session of its own: busy pools say nothing about that. */
  probe(statement: Statement, options: RunOptions & { readonly deadline: number }): Promise<StatementResult> {
    return this.guard.closed
      ? this.#prober.run(statement, options)
      : this.guard.run(() => this.#prober.run(statement, options))
  }

  #run(statement: Statement, options: RunOptions | undefined, recover: Recover | undefined): Promise<StatementResult> {
    const runner = this.#runner
    const shape = this.#shapes.shapeOf(statement.sql)
    if (runner === undefined || !this.#fits(shape, statement, options)) {
      return this.#alone(shape, statement, options, recover)
    }
    const client = runner.lane.pick()
    if (client !== undefined && client.inFlight >= this.#bulkhead) return Promise.reject(this.#overloaded())
    const running =
      client === undefined
        ? runner.sendWhenOpen(shape, statement, options, recover)
        : runner.send(client, shape, statement, options, recover)
    return options?.signal === undefined && options?.deadline === undefined
      ? running
      : untilAbandoned(this.context, running, options)
  }

  async lease(shard: number, options?: LeaseOptions): Promise<Lease> {
    const lane = options?.keeps === true ? (this.#kept ?? this.exclusive) : this.exclusive
    if (!this.guard.closed) await this.#trial.pass(options)
    if (lane.sessions.waitingCount >= this.#bulkhead) throw this.#overloaded()
    this.#watch.wake()
    try {
      return await lane.lease(shard, options)
    } catch (error) {
      this.guard.failed(error)
      throw error
    }
  }

  /** Gives up all single statements: another server can answer them. */
  abandonReads(): void {
    this.pipelined?.abandon()
    this.exclusive.abandon()
    this.#kept?.abandon()
  }

  /** Gives up everything, open transactions too: another server is the primary. */
  cut(): void {
    this.abandonReads()
    this.exclusive.sessions.cut()
    this.#kept?.sessions.cut()
  }

  async warm(): Promise<void> {
    await Promise.all([this.exclusive.sessions.warm(), this.pipelined?.open()])
  }

  async close(): Promise<void> {
    this.#prober.close()
    this.#trial.close()
    this.#watch.stop()
    await Promise.all([this.exclusive.close(), this.#kept?.close(), this.#runner?.close()])
  }

  #fits(shape: StatementShape, statement: Statement, options: RunOptions | undefined): boolean {
    if (!shape.pipelinable || isLarge(statement.parameters)) return false
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
    this.#watch.wake()
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

  #overloaded(): Error {
    const { address, shard } = this.context
    const message = `${this.#bulkhead} statements wait for ${address.label} (shard ${shard}) already.`
    return poolError('SHARD_OVERLOADED', message, { shard, server: address.label })
  }
}

function pastTransactionPooler(context: ServerContext): ServerContext | undefined {
  const { address } = context
  if (address.pooler !== 'pgbouncer-transaction' || address.directUrl === address.url) return undefined
  const direct = { ...address, url: address.directUrl, pooler: 'direct', preparedStatements: true } as const
  return { ...context, address: Object.freeze(direct) }
}
