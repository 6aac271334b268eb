import { AsyncLocalStorage } from 'node:async_hooks'
import { notSent, tagDriverError } from './driver-error.ts'
import type { LaneSettings } from './lane-settings.ts'
import { orThrow } from './or-throw.ts'
import { Overtaking } from './overtaking.ts'
import type { PipelinedClient } from './pipelined-client.ts'
import type { PipelinedLane } from './pipelined-lane.ts'
import { PipelinedQuery, type Recover } from './pipelined-query.ts'
import { idleSessionTimeout, isUnreachable } from './safe-again.ts'
import type { ServerContext } from './server-context.ts'
import type { ServerGuard } from './server-guard.ts'
import type { ShapeRegistry } from './shape-registry.ts'
import type { RunOptions, Statement, StatementResult } from './shard-pool.ts'
import { sqlStateOf } from './sql-state.ts'
import { isChangedResult, isStalePlan, mayBeOldTypes } from './stale-plan.ts'
import type { LanePace } from './statement-pace.ts'
import type { StatementShape } from './statement-shape.ts'
import type { StatementTelemetry } from './statement-telemetry.ts'
import { unnamedForm, type WireForm } from './wire-query.ts'

// The lane's lock_timeout, and not NOWAIT, which asks for exactly this error.
function isTimeout(error: unknown): boolean {
  return (error as { routine?: unknown }).routine === 'ProcessInterrupts'
}

/** How a statement is sent once more on the lane. */
interface Again {
  readonly form: WireForm
  readonly failedForm: WireForm
}

/** Where a failed statement runs again: on the lane by a new name or by none, or on a session of its own. */
type Verdict = 'named' | 'unnamed' | 'alone'

/** Sends statements on the pipelined lane, learns from their answers, and runs again what failed for the lane's sake. */
export class PipelinedRunner {
  readonly lane: PipelinedLane
  readonly #context: ServerContext
  readonly #settings: LaneSettings
  readonly #shapes: ShapeRegistry
  readonly #guard: ServerGuard
  readonly #telemetry: StatementTelemetry | undefined
  readonly #alone: (query: PipelinedQuery) => Promise<StatementResult>
  readonly #overtaking: Overtaking
  readonly #name: string
  readonly #answered = (query: PipelinedQuery, error: unknown) => this.#onAnswer(query, error)

  /** `alone` runs a statement on a session of its own. */
  constructor(
    context: ServerContext,
    settings: LaneSettings,
    lane: PipelinedLane,
    shapes: ShapeRegistry,
    guard: ServerGuard,
    telemetry: StatementTelemetry | undefined,
    alone: (query: PipelinedQuery) => Promise<StatementResult>,
  ) {
    this.lane = lane
    this.#context = context
    this.#settings = settings
    this.#shapes = shapes
    this.#guard = guard
    this.#telemetry = telemetry
    this.#alone = alone
    this.#overtaking = new Overtaking(context.clock, lane, settings.lockTimeoutMs * 2, (client, query) =>
      this.send(client, query.shape, query.statement, query.options, undefined),
    )
    this.#name = context.role === 'primary' ? 'primary' : context.address.label
  }

  send(
    client: PipelinedClient,
    shape: StatementShape,
    statement: Statement,
    options: RunOptions | undefined,
    recover: Recover | undefined,
    again?: Again,
  ): Promise<StatementResult> {
    return new Promise((resolve, reject) => {
      const { types, clock, checkCurrent } = this.#context
      if (options?.withoutLease !== true) checkCurrent?.()
      const form = again?.form ?? client.formOf(shape)
      const query = new PipelinedQuery(client, shape, statement, form, types, this.#answered, resolve, reject)
      query.options = options
      query.recover = recover
      query.failedForm = again?.failedForm
      if (this.#telemetry !== undefined) {
        query.span = this.#telemetry.start(statement, 'pipelined')
        // Half a microsecond, for those who keep a tree of spans.
        if (this.#context.telemetry.scope !== undefined) query.inCallersContext = AsyncLocalStorage.snapshot()
      }
      query.sentAt = clock.monotonicMs()
      client.send(query)
      this.#overtaking.watch()
      if (statement.followedBy !== undefined) query.follower = this.#follow(client, statement.followedBy)
    })
  }

  /** The same for a lane that has no client yet. */
  async sendWhenOpen(
    shape: StatementShape,
    statement: Statement,
    options: RunOptions | undefined,
    recover: Recover | undefined,
  ): Promise<StatementResult> {
    let client: PipelinedClient
    try {
      client = await this.lane.open()
    } catch (error) {
      this.#guard.failed(error)
      return await orThrow(recover?.(error, statement, options), error)
    }
    return await this.send(client, shape, statement, options, recover)
  }

  close(): Promise<void> {
    return this.lane.close().finally(() => this.#overtaking.stop())
  }

  #follow(client: PipelinedClient, statement: Statement): Promise<StatementResult | undefined> | undefined {
    return client.follow(statement, (follower) => {
      const shape = this.#shapes.shapeOf(follower.sql)
      shape.accompanies = true
      return this.send(client, shape, follower, undefined, undefined)
    })
  }

  #onAnswer(query: PipelinedQuery, error: unknown): void {
    const { client, shape, form } = query
    const now = this.#context.clock.monotonicMs()
    // A statement starts when the one before it is answered, however long it was queued.
    const durationMs = now - Math.max(query.sentAt, client.lastAnswerAt)
    client.lastAnswerAt = now
    client.answered(query)
    if (error !== undefined) {
      const failed = () => this.#onFailure(query, error, durationMs)
      if (query.inCallersContext === undefined) failed()
      else query.inCallersContext(failed)
      return
    }
    if (form.parse && form.name !== '') client.keep(shape, form, shape.sharedReader(query.reader))
    // What its name was refused for, the statement itself is not: the types have changed since.
    if (query.failedForm !== undefined && client.usesName(shape, query.failedForm)) this.#context.names.next()
    // The lane first: a pause that one answer carries is then no more unusual for the shape than for all of them.
    if (!shape.accompanies) this.lane.learn(durationMs)
    if (!client.isNew) shape.pace.learnOnLane(durationMs, query.sentAt, now, this.#lanePace)
    this.#guard.succeeded()
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
      const waitedMs = this.#context.clock.monotonicMs() - query.sentAt
      this.#telemetry!.failed(shape.sql, 'pipelined', waitedMs, error, span)
    }
    if (form.parse && form.name !== '') client.forget(shape, form)
    if (query.isAnswered) return
    const verdict = this.#verdict(query, error, durationMs)
    if ((verdict === 'named' || verdict === 'unnamed') && client.usable) {
      if (verdict === 'named') this.#forgetNames(query, error)
      const { statement, options, recover } = query
      const again = { form: verdict === 'named' ? client.formOf(shape) : unnamedForm, failedForm: form }
      this.send(client, shape, statement, options, recover, again).then(query.resolve, query.reject)
    } else if (verdict !== undefined) {
      this.#alone(query).then(query.resolve, query.reject)
    } else {
      const tagged = this.#tagged(error, client)
      // One connection that goes away fails all that is on it, and is one failure of its server.
      if (!isUnreachable(tagged) || client.isFirstLoss()) this.#guard.failed(tagged)
      const recovery = this.#isGivenUp(query.options)
        ? undefined
        : query.recover?.(tagged, query.statement, query.options)
      if (recovery === undefined) query.reject(tagged)
      else recovery.then(query.resolve, query.reject)
    }
  }

  // A session that was ended for being idle has read nothing of what was on its way.
  #tagged(error: unknown, client: PipelinedClient): unknown {
    client.endedIdle ||= sqlStateOf(error) === idleSessionTimeout
    const tag = client.endedIdle ? notSent : tagDriverError
    return tag(error, this.#context, client.session)
  }

  // Of many statements under way by one name, the first that fails tells.
  #forgetNames({ client, shape, form }: PipelinedQuery, error: unknown): void {
    if (!client.usesName(shape, form)) return
    if (isChangedResult(error)) this.#context.names.next()
    else client.forgetAll()
  }

  /** All of these failed as a whole in a transaction of their own: nothing of them was done, so that they may run again. */
  #verdict(query: PipelinedQuery, error: unknown, durationMs: number): Verdict | undefined {
    if (this.#isGivenUp(query.options)) return undefined
    const state = sqlStateOf(error)
    if (state === undefined) return undefined
    const now = this.#context.clock.monotonicMs()
    if (isStalePlan(error)) return query.failedForm === undefined ? 'named' : 'alone'
    if (mayBeOldTypes(error) && query.failedForm === undefined && !query.form.parse) return 'unnamed'
    if (state === '55P03' && isTimeout(error)) {
      query.shape.pace.waited(now, this.#settings.lockTimeoutMs * 4)
      query.shape.pace.learnOnLane(this.#settings.lockTimeoutMs, query.sentAt, now, this.#lanePace)
      this.#overtaking.overtake(query.client)
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
    return { slowMs: this.#settings.slowMs, usualMs: this.lane.usualMs }
  }

  #isGivenUp(options: RunOptions | undefined): boolean {
    if (options?.signal?.aborted === true) return true
    return options?.deadline !== undefined && options.deadline <= this.#context.clock.monotonicMs()
  }
}
