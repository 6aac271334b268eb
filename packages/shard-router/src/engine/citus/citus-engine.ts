import type { KeyToLocate, Telemetry } from '@shardwright/core'
import type { QueryResult } from 'kysely'
import { type ExecutionContext, type RouterState, runOn } from '../../execute/context.ts'
import { callersStatement, toQueryResult, withMoment } from '../../execute/execute-plan.ts'
import { bindSources } from '../../execute/merge-select.ts'
import type { Route } from '../../execute/route.ts'
import { streamPlan } from '../../execute/stream-plan.ts'
import type { Explanation } from '../../explain/explanation.ts'
import { bindClock } from '../../plan/clock.ts'
import { compileTemplate, type SqlTemplate } from '../../plan/compile.ts'
import { refuseVolatile } from '../../plan/plan-multi-shard.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { refuse } from '../../plan/refuse.ts'
import type { CallValues } from '../../plan/source.ts'
import { isSafeAgain } from '../../pool/safe-again.ts'
import type { Lease, RunOptions, Statement, StatementResult } from '../../pool/shard-pool.ts'
import type { TransactionPool } from '../../transaction/one-shard-transaction.ts'
import type { RouterTransaction, TransactionOptions } from '../../transaction/router-transaction.ts'
import type { Engine } from '../engine.ts'
import { citusRefusal } from './citus-refusal.ts'
import { type ClusterMap, coordinator } from './cluster-map.ts'
import { ClusterTransaction } from './cluster-transaction.ts'
import { withConflictValues } from './conflict-values.ts'
import { type CoordinatorNeeds, severalRows } from './coordinator-needs.ts'
import { describeOnCluster } from './describe-on-cluster.ts'
import type { DirectCounts } from './direct-counts.ts'
import { countedInsert } from './insert-count.ts'
import { InsertOrder } from './insert-order.ts'
import type { NodeHealth } from './node-health.ts'
import { latestPlacement, type PlacementChecks, placementOf } from './placement-checks.ts'
import { Ordinals, routeOnCluster } from './route-on-cluster.ts'
import { isValuesInsert, type SpreadForm, type SpreadForms } from './spread-forms.ts'
import { isNodeGone, isShardGone } from './stale-metadata.ts'

/** What the engines of successive readings of the metadata share. */
export interface ClusterContext {
  readonly health: NodeHealth
  readonly counts: DirectCounts
  readonly checks: PlacementChecks
  readonly telemetry: Telemetry
  readonly queryFrom: 'coordinator' | 'any'
  /** The metadata may have changed: it is read soon. */
  readonly suspect: () => void
}

/**
 * A Citus cluster: what is in one shard goes straight to its node, as the caller wrote it; everything else to the
 * coordinator, which plans it. Nothing is taken apart here.
 */
export class CitusEngine implements Engine {
  readonly map: ClusterMap
  readonly #context: ClusterContext
  readonly #needs: CoordinatorNeeds
  readonly #templates = new WeakMap<PreparedPlan, SqlTemplate>()
  readonly #orders = new WeakMap<PreparedPlan, { readonly order: InsertOrder | undefined }>()
  readonly #forms: SpreadForms
  readonly #counted = new WeakMap<PreparedPlan, { readonly template: SqlTemplate | undefined }>()
  #turn = 0

  constructor(map: ClusterMap, needs: CoordinatorNeeds, forms: SpreadForms, context: ClusterContext) {
    this.map = map
    this.#needs = needs
    this.#forms = forms
    this.#context = context
  }

  locate(key: KeyToLocate): number {
    const group = this.map.groupOf(key.family)
    if (!group) return coordinator
    return this.map.serverOf({ group, ordinal: new Ordinals(group).locate(key) }) ?? coordinator
  }

  bucketOf(key: KeyToLocate): number {
    const group = this.map.groupOf(key.family)
    return group ? new Ordinals(group).bucketOf(key) : 0
  }

  route(plan: PreparedPlan, call: CallValues, state: RouterState): Route {
    const route = routeOnCluster(plan.accesses, call, state, this.map)
    const [server] = route.shards
    if (server === undefined || server === coordinator) return route
    const asked = this.#isDirect(server) && this.#needs.of(plan) === undefined
    return asked ? route : { ...route, shards: [coordinator] }
  }

  needs(server: number): boolean {
    return server === coordinator
  }

  widthOf(route: Route): number {
    return route.place || route.shards.length === 0 ? route.shards.length : this.map.width
  }

  async execute(plan: PreparedPlan, route: Route, sql: string, context: ExecutionContext) {
    if (!isSpread(route)) {
      const again = context.transaction === undefined
      return await this.#forms.runPlaced(plan, (own) => this.#execute(own, route, sql, context), again)
    }
    // A refusal would end the transaction around it: it is asked for outside.
    if (context.transaction) await this.#triedForm(plan, route, sql, context)
    return await this.#forms.run(plan, (own) => this.#execute(own, route, sql, context))
  }

  async asSent(plan: PreparedPlan, route: Route, sql: string, context: ExecutionContext, asks: boolean) {
    if (!isSpread(route)) return plan
    return (asks ? await this.#triedForm(plan, route, sql, context) : this.#forms.of(plan)).plan
  }

  /** What nobody has tried yet is shown to Citus' planner. */
  async #triedForm(plan: PreparedPlan, route: Route, sql: string, context: ExecutionContext): Promise<SpreadForm> {
    const form = this.#forms.of(plan)
    if (!form.untried || (plan.root as { explain?: unknown }).explain) return form
    const { state } = context
    const statement = await this.#statementOf(form.plan, route, sql, coordinator, context)
    const asked: Statement = { ...statement, sql: `explain ${statement.sql}`, access: 'read', rows: 'facts' }
    try {
      await state.pool.execute(coordinator, asked, context.run)
    } catch (error) {
      return this.#forms.afterRefusal(plan, error) ?? form
    }
    return form
  }

  async #execute(plan: PreparedPlan, route: Route, sql: string, context: ExecutionContext) {
    const server = this.#serverOf(plan, route, context)
    const order = route.place || plan.kind !== 'insert' ? undefined : this.#orderOf(plan)
    if (order) return await this.#insertInOrder(order, plan, server, context)
    const statement = await this.#statementOf(plan, route, sql, server, context)
    if (route.place && server !== coordinator) this.#context.counts.add(route.place)
    const looks = context.transaction === undefined && this.#isLocal(route, server)
    const sent = looks ? { ...statement, followedBy: latestPlacement } : statement
    const result = await this.#run(server, sent, context)
    return toQueryResult(await this.#checked(result, plan, route, server, statement, context))
  }

  async *stream(
    asked: PreparedPlan,
    route: Route,
    sql: string,
    chunkSize: number,
    context: ExecutionContext,
  ): AsyncIterableIterator<QueryResult<unknown>> {
    const plan = isSpread(route) ? (await this.#triedForm(asked, route, sql, context)).plan : asked
    const server = this.#serverOf(plan, route, context)
    const statement = await this.#statementOf(plan, route, sql, server, context)
    let begun = false
    try {
      for await (const chunk of streamPlan.raw(server, statement, chunkSize, context)) {
        if (!begun && !(await this.#isUpToDate(route, server, context))) throw new ShardMoved()
        begun = true
        yield chunk
      }
      if (!begun && !(await this.#isUpToDate(route, server, context))) throw new ShardMoved()
    } catch (error) {
      if (error instanceof ShardMoved) {
        yield* streamPlan.raw(context.transaction ? server : coordinator, statement, chunkSize, context)
        return
      }
      if (begun || context.transaction || !this.#mayGoElsewhere(server, error, statement.access)) throw error
      yield* streamPlan.raw(coordinator, statement, chunkSize, context)
    }
  }

  async describe(plan: PreparedPlan, route: Route, state: RouterState): Promise<Partial<Explanation>> {
    const pulled = isSpread(route) ? this.#forms.of(plan).pulled : undefined
    return await describeOnCluster(plan, route, { state, map: this.map, need: this.#needs.of(plan), pulled })
  }

  transaction(state: RouterState, options: TransactionOptions, pool: TransactionPool): RouterTransaction {
    const elsewhere = async (server: number, error: unknown, run?: RunOptions): Promise<Lease> => {
      if (!this.#mayGoElsewhere(server, error, 'write')) throw error
      return await pool.lease(coordinator, { ...run, access: 'write' })
    }
    return new ClusterTransaction(pool, options, state.telemetry, elsewhere)
  }

  refusalOf(error: unknown): unknown {
    return citusRefusal(error)
  }

  /** The server that a statement is sent to, in the transaction around it or by itself. */
  #serverOf(plan: PreparedPlan, route: Route, { transaction }: ExecutionContext): number {
    if (!(transaction instanceof ClusterTransaction)) return route.shards[0] ?? this.#anyServer(plan)
    const [joined] = transaction.shards
    if (joined === undefined) return transaction.serverFor(this.#firstServer(plan, route))
    const need = this.#needs.of(plan)
    if (need?.strict && joined !== coordinator) refuseOnWorker(need.reason)
    return transaction.serverFor(joined)
  }

  /** A transaction whose tables have sequences begins on the coordinator: a later INSERT may need them. */
  #firstServer(plan: PreparedPlan, route: Route): number {
    const server = route.shards[0] ?? coordinator
    const needed = plan.accesses.some(
      (access) => access.kind === 'sharded' && this.#needs.sequenceOfFamily(access.table.family) !== undefined,
    )
    return needed ? coordinator : server
  }

  /** Every node with metadata can answer; reads go to each in turn where the topology allows it. */
  #anyServer(plan: PreparedPlan): number {
    if (this.#context.queryFrom === 'coordinator' || plan.access === 'write') return coordinator
    const { shards } = this.map.servers
    for (let tried = 0; tried < shards.length; tried++) {
      this.#turn = (this.#turn + 1) % shards.length
      if (this.#isDirect(this.#turn)) return this.#turn
    }
    return coordinator
  }

  #isDirect(server: number): boolean {
    return server === coordinator || this.#context.health.isDirect(this.map.servers.shards[server]?.id ?? '')
  }

  /** The caller's statement. Where it runs on other nodes than its session's, `now()` would be another on each: bound then. */
  async #statementOf(
    plan: PreparedPlan,
    route: Route,
    sql: string,
    server: number,
    context: ExecutionContext,
  ): Promise<Statement> {
    const several = isSpread(route)
    if (several && plan.accesses.some((access) => access.kind === 'sharded') && !isValuesInsert(plan))
      refuseVolatile(plan)
    const inserted = plan.kind === 'insert' ? await this.#insertedSelect(plan, context) : undefined
    if (inserted) return inserted
    const remote = several || (route.place !== undefined && this.map.serverOf(route.place) !== server)
    if (!remote || plan.traits.clock.length === 0) return callersStatement(plan, sql, context)
    const template = this.#clockTemplate(plan)
    const timed = await withMoment(plan, context)
    return { sql: template.sql, parameters: bindSources(template, timed), access: plan.access, rows: 'objects' }
  }

  /** An INSERT ... SELECT that needs another text than the caller's: values of its own, or a count. */
  async #insertedSelect(plan: PreparedPlan, caller: ExecutionContext): Promise<Statement | undefined> {
    const context = await withMoment(plan, caller)
    const root = withConflictValues({ ...plan, root: bindClock(plan.root) }, context.call)
    const counted = root ? countedInsert({ ...plan, root }) : this.#countedOf(plan)
    const template = counted ?? (root && compileTemplate(root, plan.parameters))
    if (!template) return undefined
    const parameters = bindSources(template, context)
    return {
      sql: template.sql,
      parameters,
      access: 'write',
      ...(counted ? { rows: 'text', keepRows: 0 } : { rows: 'objects' }),
    }
  }

  async #insertInOrder(order: InsertOrder, plan: PreparedPlan, server: number, caller: ExecutionContext) {
    const context = plan.traits.clock.length === 0 ? caller : await withMoment(plan, caller)
    return toQueryResult(order.arrange(await this.#run(server, order.statement(context), context), context))
  }

  #orderOf(plan: PreparedPlan): InsertOrder | undefined {
    let known = this.#orders.get(plan)
    if (known === undefined) {
      known = { order: InsertOrder.of(plan) }
      this.#orders.set(plan, known)
    }
    return known.order
  }

  #countedOf(plan: PreparedPlan): SqlTemplate | undefined {
    let known = this.#counted.get(plan)
    if (known === undefined) {
      known = { template: countedInsert(plan) }
      this.#counted.set(plan, known)
    }
    return known.template
  }

  #clockTemplate(plan: PreparedPlan): SqlTemplate {
    let template = this.#templates.get(plan)
    if (template === undefined) {
      template = compileTemplate(bindClock(plan.root), plan.parameters)
      this.#templates.set(plan, template)
    }
    return template
  }

  async #run(server: number, statement: Statement, context: ExecutionContext): Promise<StatementResult> {
    try {
      return await runOn(context, server, statement, 'part')
    } catch (error) {
      // The transaction has failed with it, and another one will find the shard.
      if (context.transaction && isShardGone(error)) {
        this.#context.suspect()
        refuseMoved()
      }
      if (context.transaction || !this.#mayGoElsewhere(server, error, statement.access)) throw error
      const result = await runOn(context, coordinator, statement, 'part')
      // Of a node that may be gone nothing can be asked; the coordinator's own shards are its own look.
      const look = result.followedBy ?? (await context.state.pool.execute(coordinator, latestPlacement))
      return { ...result, followedBy: look }
    }
  }

  /** A statement that may have missed the rows of a shard that came meanwhile is run again; a write that found rows is done. */
  async #checked(
    result: StatementResult,
    plan: PreparedPlan,
    route: Route,
    server: number,
    statement: Statement,
    context: ExecutionContext,
  ): Promise<StatementResult> {
    if (await this.#isUpToDate(route, server, context, result.followedBy)) return result
    if (plan.traits.writes && result.rowCount > 0) {
      // Which of its rows it missed nobody knows: the transaction that it is in is not to be committed.
      if (context.transaction && this.#needs.of(plan) === severalRows) refuseMoved()
      return result
    }
    this.#context.telemetry.count('shardwright.citus.statements_run_again', 1)
    if (context.transaction instanceof ClusterTransaction && context.transaction.keepsSnapshot) refuseMoved()
    return await runOn(context, context.transaction ? server : coordinator, statement, 'part')
  }

  /** False when placements have changed since the statement was routed, and its shard is read in the session itself. */
  async #isUpToDate(
    route: Route,
    server: number,
    { transaction, state }: ExecutionContext,
    look?: StatementResult,
  ): Promise<boolean> {
    if (!this.#isLocal(route, server)) return true
    const place = route.place ? `${route.place.group.colocationId} ${route.place.ordinal}` : ''
    const own = transaction instanceof ClusterTransaction ? transaction : undefined
    if (own?.holds(place)) return true
    const latest = own
      ? placementOf(await own.execute(server, latestPlacement))
      : look
        ? placementOf(look)
        : await this.#context.checks.latest(server, state.pool)
    if (route.place) own?.hold(place)
    if (!this.map.isOlderThan(latest)) return true
    this.#context.suspect()
    return false
  }

  /** True when the session's own node reads the shard. */
  #isLocal(route: Route, server: number): boolean {
    return route.place ? this.map.serverOf(route.place) === server : server !== coordinator
  }

  /**
   * True when the coordinator can do what a node failed to do: the node was not reached, or a shard left it meanwhile. A
   * statement that the server refused was rolled back as a whole, so that it may be sent again.
   */
  #mayGoElsewhere(server: number, error: unknown, access: 'read' | 'write'): boolean {
    if (isShardGone(error)) {
      this.#context.suspect()
      return true
    }
    if (server === coordinator || !isNodeGone(error)) return false
    this.#context.health.lost(this.map.servers.shards[server]?.id ?? '', error)
    this.#context.suspect()
    return isSafeAgain(error, access)
  }
}

/** The snapshot is that of the whole transaction: another statement in it would see no more. */
function refuseMoved(): never {
  return refuse(
    'CITUS_SHARD_MOVED',
    'A shard was moved or split while the transaction ran, and its snapshot may not have the rows.',
    'Run the transaction again.',
    { sqlState: '40001' },
  )
}

class ShardMoved extends Error {}

/** True when the statement needs several shards, of which the coordinator takes care. */
function isSpread(route: Route): boolean {
  return route.shards.length > 0 && route.place === undefined
}

function refuseOnWorker(reason: string): never {
  return refuse(
    'CITUS_COORDINATOR_REQUIRED',
    `The transaction is on a worker, and ${reason}.`,
    'Run this statement outside the transaction, or first in one; or give the row its value from the service (uuidv7).',
  )
}
