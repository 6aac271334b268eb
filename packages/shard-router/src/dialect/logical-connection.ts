import {
  type CommitScope,
  commitScopeSymbol,
  currentReadContext,
  noTelemetry,
  type TelemetryScope,
} from '@shardwright/core'
import type { CompiledQuery, DatabaseConnection, QueryResult, TransactionSettings } from 'kysely'
import type { ExecutionContext, RouterState } from '../execute/context.ts'
import { requireKey } from '../execute/execute-plan.ts'
import { type Route, shardIndex } from '../execute/route.ts'
import { slices } from '../execute/slices.ts'
import { executeByLookup, withLookups } from '../lookup/by-lookup.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { refuseSessionUse } from '../plan/session-use.ts'
import type { CallValues } from '../plan/source.ts'
import type { AbortStrategy, RunOptions } from '../pool/shard-pool.ts'
import { stopRequest } from '../pool/stop-request.ts'
import type { RouterTransaction } from '../transaction/router-transaction.ts'
import { withCallersStack } from './callers-stack.ts'
import { confine } from './confine-plan.ts'
import type { Mode } from './mode.ts'
import { type ConnectionUse, NamedShard } from './named-shard.ts'
import { recordRefusal, recordRoute } from './route-telemetry.ts'
import type { RouterCore } from './router-core.ts'
import { statementScope, transactionScope } from './router-scopes.ts'
import { runAtomically } from './run-atomically.ts'
import { streamAsSpan, streamWithin } from './scoped-stream.ts'
import { statementContext } from './statement-context.ts'
import { streamedRows } from './streamed-rows.ts'

interface AskedStream {
  readonly query: CompiledQuery
  readonly chunkSize: number
  readonly signal: AbortSignal | undefined
}

const noOptions: RunOptions = Object.freeze({})

/** One logical connection: plans each statement, chooses its shards, runs it, and carries a transaction. */
export class LogicalConnection implements DatabaseConnection {
  readonly #core: RouterCore
  readonly #mode: Mode
  #transaction: RouterTransaction | undefined
  /** The topology that the transaction began with; a new one must not change what its shard numbers mean. */
  #pinned: RouterState | undefined
  /** The transaction's span, where somebody keeps a tree of them. */
  #scope: TelemetryScope | undefined
  #ended = false
  /** Set when the caller may ask to cancel: aborts what runs on this connection now. */
  #running: AbortController | undefined
  #expected: { readonly query: CompiledQuery; readonly action: () => Promise<void> | undefined } | undefined
  readonly #named: NamedShard

  constructor(core: RouterCore, mode: Mode, use: ConnectionUse) {
    this.#core = core
    this.#mode = mode
    this.#named = new NamedShard(use)
  }

  /** The caller keeps this connection, for a transaction or for `connection().execute()`. */
  pin(): void {
    this.#named.pin()
  }

  get transaction(): RouterTransaction | undefined {
    return this.#transaction
  }

  get [commitScopeSymbol](): CommitScope | undefined {
    return this.#transaction?.scope
  }

  /** The next `query` is the driver's own: it stands for `action`. */
  expect(query: CompiledQuery, action: () => Promise<void> | undefined): void {
    this.#expected = { query, action }
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    let own: RouterState | undefined
    const running = this.#running
    try {
      if (this.#expected?.query === query) {
        const { action } = this.#expected
        this.#expected = undefined
        await action()
        return { rows: [] }
      }
      if (this.#pinned === undefined) own = this.#core.beginNow() ?? (await this.#core.begin())
      const state = own ?? this.#pinned!
      const scope = this.#scope
      const answer = scope ? scope.run(() => this.#execute(query, state)) : this.#execute(query, state)
      return (await answer) as QueryResult<R>
    } catch (error) {
      // Kysely has thrown the abort's reason itself, and would only print that this failed too.
      if (running?.signal.aborted === true) return { rows: [] }
      recordRefusal(error, this.#core.telemetry)
      throw withCallersStack(this.#refusalOf(error))
    } finally {
      own?.ongoing.end()
      // An abort is for this statement, not for what follows behind a ROLLBACK TO.
      if (this.#running === running) this.#running = undefined
    }
  }

  async *streamQuery<R>(
    query: CompiledQuery,
    chunkSize: number,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncIterableIterator<QueryResult<R>> {
    const own = this.#pinned === undefined ? await this.#core.begin() : undefined
    let left = true
    try {
      const chunks = this.#stream({ query, chunkSize, signal }, own ?? this.#pinned!)
      for await (const { rows } of this.#scope ? streamWithin(this.#scope, chunks) : chunks) {
        yield { rows: streamedRows(rows as R[]) }
      }
      left = false
    } catch (error) {
      // Kysely has thrown the reason itself, and would only print that this failed too.
      if (signal?.aborted === true && error === signal.reason) return
      left = false
      recordRefusal(error, this.#core.telemetry)
      throw withCallersStack(this.#refusalOf(error))
    } finally {
      if (left) this.#core.telemetry.count('shardwright.router.streams_ended_early', 1)
      own?.ongoing.end()
    }
  }

  #stream(asked: AskedStream, state: RouterState): AsyncIterableIterator<QueryResult<unknown>> {
    const { query, chunkSize, signal } = asked
    const run = this.#runOptions(state, signal)
    const named = this.#namedShard(state)
    if (named !== undefined) {
      return this.#named.stream(query, named, chunkSize, this.#context(state, { parameters: query.parameters }, run))
    }
    const { plan, sql, call } = this.#planOf(query, state)
    const context = this.#context(state, call, run, plan)
    if (plan.lookups.length > 0 || plan.changesLookups) return this.#streamByLookup(plan, sql, chunkSize, context)
    return this.#streamRouted(plan, sql, chunkSize, context)
  }

  #streamRouted(
    plan: PreparedPlan,
    sql: string,
    chunkSize: number,
    context: ExecutionContext,
  ): AsyncIterableIterator<QueryResult<unknown>> {
    const { state, call } = context
    const route = this.#route(plan, sql, call, state)
    const chunks = state.engine.stream(plan, route, sql, chunkSize, context)
    const scope = route.shards.length > 1 ? statementScope(plan, sql, route.shards.length, state) : undefined
    return scope ? streamAsSpan(scope, chunks) : chunks
  }

  /** What changes lookups is over before its first row is given. */
  async *#streamByLookup(
    plan: PreparedPlan,
    sql: string,
    chunkSize: number,
    context: ExecutionContext,
  ): AsyncIterableIterator<QueryResult<unknown>> {
    if (plan.changesLookups) {
      const { rows } = await this.#run(plan, sql, context)
      for (const piece of slices(rows, chunkSize)) yield { rows: piece }
      return
    }
    yield* this.#streamRouted(plan, sql, chunkSize, { ...context, call: await withLookups(plan, context) })
  }

  #execute(query: CompiledQuery, state: RouterState): Promise<QueryResult<unknown>> {
    const run = this.#runOptions(state, this.#running?.signal)
    const named = this.#namedShard(state)
    if (named !== undefined) return this.#named.execute(query, named, { state, transaction: this.#transaction, run })
    const { plan, sql, call } = this.#planOf(query, state)
    return this.#run(plan, sql, this.#context(state, call, run, plan))
  }

  #run(plan: PreparedPlan, sql: string, context: ExecutionContext): Promise<QueryResult<unknown>> {
    if (plan.lookups.length === 0 && !plan.changesLookups) return this.#runRouted(plan, sql, context)
    return executeByLookup(plan, context, (own) => this.#runRouted(plan, sql, own))
  }

  async #runRouted(plan: PreparedPlan, sql: string, context: ExecutionContext): Promise<QueryResult<unknown>> {
    const { state } = context
    const route = this.#route(plan, sql, context.call, state)
    if (route.shards.length === 0 && plan.emptyWithoutKeys())
      return plan.kind === 'select' ? { rows: [] } : { numAffectedRows: 0n, rows: [] }
    const scope = route.shards.length > 1 ? statementScope(plan, sql, route.shards.length, state) : undefined
    if (scope === undefined) return await state.engine.execute(plan, route, sql, context)
    try {
      const result = await scope.run(() => state.engine.execute(plan, route, sql, context))
      scope.end()
      return result
    } catch (error) {
      scope.end({ error })
      throw error
    }
  }

  #refusalOf(error: unknown): unknown {
    const state = this.#pinned ?? this.#core.state
    return state ? state.engine.refusalOf(error) : error
  }

  #planOf(query: CompiledQuery, state: RouterState): { plan: PreparedPlan; sql: string; call: CallValues } {
    const { confined } = this.#mode
    const planned = confined
      ? confine(query, confined, this.#core, state)
      : { plan: this.#core.plan(query, state), sql: query.sql, call: { parameters: query.parameters } }
    if (planned.plan.traits.session.length > 0 && !this.#transaction) refuseSessionUse(planned.plan, query)
    return planned
  }

  #route(plan: PreparedPlan, sql: string, call: CallValues, state: RouterState): Route {
    const route = state.engine.route(plan, call, state)
    if (this.#mode.kind !== 'fan-out') requireKey(plan, route, state.catalog)
    const width = state.engine.widthOf(route)
    if (state.telemetry !== noTelemetry) recordRoute(plan, sql, width, route.keyless.length > 0, state)
    return route
  }

  /** The shard of `router.onShard(id)`, or the one that has every table of the schema. */
  #namedShard({ topology }: RouterState): number | undefined {
    const id = this.#mode.kind === 'confined' ? undefined : (this.#mode.shard ?? this.#core.soleShard)
    return id === undefined ? undefined : shardIndex(topology, id)
  }

  #context(state: RouterState, call: CallValues, run: RunOptions, plan?: PreparedPlan): ExecutionContext {
    return {
      ...statementContext(this.#mode, state, call, run),
      transaction: this.#transaction,
      atomically: async (work) =>
        this.#transaction
          ? await work(this.#transaction)
          : await runAtomically(state, this.#core.contention, run, plan, work),
    }
  }

  #runOptions(state: RouterState, signal: AbortSignal | undefined): RunOptions {
    const { fanOut, reads } = this.#mode
    const deadlineMs = fanOut?.deadlineMs
    if (!signal && !reads && deadlineMs === undefined) return noOptions
    return {
      ...(reads ? { reads } : {}),
      ...(deadlineMs === undefined ? {} : { deadline: state.clock.monotonicMs() + deadlineMs }),
      // What may have to be cancelled needs a session of its own; the abort says what is done with it.
      ...(signal ? { signal, abortStrategy: 'cancel query' } : {}),
    }
  }

  async begin(settings: TransactionSettings): Promise<void> {
    const state = await this.#core.begin()
    const options = { ...this.#mode.transaction, ...settings }
    try {
      const leases = this.#named.leasesFor(() => this.#namedShard(state), state)
      this.#transaction = state.engine.transaction(state, options, leases ?? state.pool)
      this.#pinned = state
      this.#scope = transactionScope(state)
    } catch (error) {
      state.ongoing.end()
      throw error
    }
  }

  async commit(): Promise<void> {
    const commit = await this.#end((transaction) => transaction.commit())
    for (const token of commit?.tokens ?? []) currentReadContext()?.add(token)
  }

  async rollback(): Promise<void> {
    await this.#end((transaction) => transaction.rollback())
  }

  async #end<T>(ending: (transaction: RouterTransaction) => Promise<T>): Promise<T | undefined> {
    const transaction = this.#transaction
    const [state, scope] = [this.#pinned, this.#scope]
    this.#transaction = undefined
    this.#pinned = undefined
    this.#scope = undefined
    try {
      const ended = transaction && (await (scope ? scope.run(() => ending(transaction)) : ending(transaction)))
      scope?.end()
      return ended
    } catch (error) {
      scope?.end({ error })
      throw error
    } finally {
      state?.ongoing.end()
    }
  }

  /** Kysely gives the connection back: nothing may be left open. */
  async released(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    try {
      if (this.#transaction) await this.rollback()
    } finally {
      await this.#named.release()
    }
  }

  /** Kysely calls this when an abort may have to stop the statement on the server. */
  async collectSessionInfo(): Promise<void> {
    this.#running = new AbortController()
  }

  async cancelQuery(): Promise<void> {
    this.#stop('cancel query', 'The query was cancelled.')
    await this.#transaction?.cancel()
  }

  async killSession(): Promise<void> {
    this.#stop('kill session', 'The session was ended.')
    await this.#transaction?.kill()
  }

  #stop(strategy: AbortStrategy, reason: string): void {
    this.#running?.abort(stopRequest(reason, strategy))
  }
}
