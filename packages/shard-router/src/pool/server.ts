import { tagDriverError } from './driver-error.ts'
import { ExclusiveLane } from './exclusive-lane.ts'
import type { LaneSettings } from './lane-settings.ts'
import type { PipelinedClient } from './pipelined-client.ts'
import { PipelinedLane } from './pipelined-lane.ts'
import { PipelinedQuery } from './pipelined-query.ts'
import type { PoolSize } from './pool-size.ts'
import type { ServerContext } from './server-context.ts'
import type { Session } from './session.ts'
import { ShapeRegistry } from './shape-registry.ts'
import type { Lease, RunOptions, Statement, StatementResult } from './shard-pool.ts'
import { sqlStateOf } from './sql-state.ts'
import { isStalePlan } from './stale-plan.ts'
import type { StatementShape } from './statement-shape.ts'
import { untilAbandoned } from './until-abandoned.ts'

// More values than this make a statement that holds up the ones behind it, whatever its text says.
const maxPipelinedValues = 1_000

/** One PostgreSQL server: its lanes, and the choice between them for each statement. */
export class Server {
  readonly context: ServerContext
  readonly exclusive: ExclusiveLane
  readonly pipelined: PipelinedLane | undefined
  readonly #settings: LaneSettings
  readonly #shapes: ShapeRegistry
  readonly #name: string
  readonly #answered = (query: PipelinedQuery, error: unknown) => this.#onAnswer(query, error)

  constructor(
    context: ServerContext,
    size: PoolSize,
    settings: LaneSettings,
    verify: (session: Session) => Promise<void>,
  ) {
    this.context = context
    this.#settings = settings
    this.#shapes = new ShapeRegistry(settings.maxShapes)
    this.#name = context.role === 'primary' ? 'primary' : context.address.label
    this.exclusive = new ExclusiveLane(context, size, verify)
    // A pooler in transaction mode keeps no lock_timeout per client, without which a pipeline can deadlock unseen.
    const fits = settings.pipeline && context.address.pooler !== 'pgbouncer-transaction'
    this.pipelined = fits ? new PipelinedLane(context, settings, size.maxLifetimeMs, verify) : undefined
  }

  /** Runs one autocommit statement on the lane that fits it. */
  execute(statement: Statement, options?: RunOptions): Promise<StatementResult> {
    const lane = this.pipelined
    if (lane === undefined) return this.exclusive.execute(statement, options)
    const shape = this.#shapes.shapeOf(statement.sql)
    if (
      !shape.fitsPipeline ||
      statement.parameters.length > maxPipelinedValues ||
      this.#wantsOwnSession(shape, options)
    ) {
      return this.#alone(shape, statement, options)
    }
    const client = lane.pick()
    const running =
      client === undefined
        ? lane.open().then((opened) => this.#send(opened, shape, statement, options, false))
        : this.#send(client, shape, statement, options, false)
    return options?.signal === undefined && options?.deadline === undefined
      ? running
      : untilAbandoned(this.context, running, options)
  }

  lease(shard: number, options?: RunOptions): Promise<Lease> {
    return this.exclusive.lease(shard, options)
  }

  async close(): Promise<void> {
    await Promise.all([this.exclusive.close(), this.pipelined?.close()])
  }

  #wantsOwnSession(shape: StatementShape, options: RunOptions | undefined): boolean {
    if (options === undefined) return false
    const { signal, abortStrategy, deadline } = options
    if (signal !== undefined && abortStrategy !== undefined && abortStrategy !== 'ignore query') return true
    // With little time left the server itself has to stop the statement exactly then.
    return deadline !== undefined && deadline - this.context.clock.monotonicMs() < shape.serviceMs * 10
  }

  async #alone(shape: StatementShape, statement: Statement, options: RunOptions | undefined): Promise<StatementResult> {
    if (!shape.pipelinable) return await this.exclusive.execute(statement, options)
    return await this.exclusive.execute(statement, options, (durationMs) => {
      shape.learn(durationMs, this.#settings.slowMs, this.pipelined?.usualMs ?? 0)
    })
  }

  #send(
    client: PipelinedClient,
    shape: StatementShape,
    statement: Statement,
    options: RunOptions | undefined,
    again: boolean,
  ): Promise<StatementResult> {
    return new Promise((resolve, reject) => {
      const { types, clock } = this.context
      const query = new PipelinedQuery(client, shape, statement, options, types, again, this.#answered, resolve, reject)
      query.sentAt = clock.monotonicMs()
      client.send(query)
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
    if (form.parse && form.name !== '') client.keep(shape, form, query.reader)
    shape.learn(durationMs, this.#settings.slowMs, this.pipelined!.usualMs)
    this.pipelined!.learn(durationMs)
    query.resolve(query.result(this.#name))
  }

  #onFailure(query: PipelinedQuery, error: unknown, durationMs: number): void {
    const { client, shape, form } = query
    if (form.parse && form.name !== '') client.forget(shape, form)
    const verdict = this.#verdict(query, error, durationMs)
    if (verdict === 'again' && client.usable) {
      client.forget(shape, form)
      shape.generation++
      this.#send(client, shape, query.statement, query.options, true).then(query.resolve, query.reject)
    } else if (verdict !== undefined) {
      this.exclusive.execute(query.statement, query.options).then(query.resolve, query.reject)
    } else {
      query.reject(tagDriverError(error, this.context, client.session))
    }
  }

  /** All of these failed as a whole in a transaction of their own: nothing of them was done, so that they may run again. */
  #verdict(query: PipelinedQuery, error: unknown, durationMs: number): 'again' | 'alone' | undefined {
    if (this.#isGivenUp(query.options)) return undefined
    const state = sqlStateOf(error)
    if (state === undefined) return undefined
    if (isStalePlan(error)) return query.again ? 'alone' : 'again'
    if (state === '55P03') {
      query.shape.learn(this.#settings.lockTimeoutMs, this.#settings.slowMs, this.pipelined!.usualMs)
      return 'alone'
    }
    // Somebody else may cancel too (57014): only the lane's own cap is worth another run.
    if (state === '57014' && durationMs >= this.#settings.capMs * 0.9) {
      query.shape.markSlow(durationMs)
      return 'alone'
    }
    return undefined
  }

  #isGivenUp(options: RunOptions | undefined): boolean {
    if (options?.signal?.aborted === true) return true
    return options?.deadline !== undefined && options.deadline <= this.context.clock.monotonicMs()
  }
}
