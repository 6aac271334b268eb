import type { KeyToLocate } from '@shardwright/core'
import type { QueryResult } from 'kysely'
import type { ExecutionContext, RouterState } from '../../execute/context.ts'
import { callersStatement, toQueryResult, withMoment } from '../../execute/execute-plan.ts'
import { bindSources } from '../../execute/merge-select.ts'
import type { Route } from '../../execute/route.ts'
import type { Explanation } from '../../explain/explanation.ts'
import { bindClock } from '../../plan/clock.ts'
import { compileTemplate, type SqlTemplate } from '../../plan/compile.ts'
import { refuseVolatile } from '../../plan/plan-multi-shard.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import type { CallValues } from '../../plan/source.ts'
import type { Lease, RunOptions, Statement } from '../../pool/shard-pool.ts'
import type { TransactionPool } from '../../transaction/one-shard-transaction.ts'
import type { RouterTransaction, TransactionOptions } from '../../transaction/router-transaction.ts'
import type { Engine } from '../engine.ts'
import { citusRefusal } from './citus-refusal.ts'
import type { ClusterContext } from './cluster-context.ts'
import { type ClusterMap, coordinator } from './cluster-map.ts'
import { ClusterTransaction } from './cluster-transaction.ts'
import { withConflictValues } from './conflict-values.ts'
import type { CoordinatorNeeds } from './coordinator-needs.ts'
import { describeOnCluster } from './describe-on-cluster.ts'
import { countedInsert } from './insert-count.ts'
import { InsertOrder } from './insert-order.ts'
import { NodeChoice } from './node-choice.ts'
import { Ordinals, routeOnCluster } from './route-on-cluster.ts'
import { ShardMoves } from './shard-moves.ts'
import { isValuesInsert, type SpreadForm, type SpreadForms } from './spread-forms.ts'

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
  readonly #choice: NodeChoice
  readonly #moves: ShardMoves

  constructor(map: ClusterMap, needs: CoordinatorNeeds, forms: SpreadForms, context: ClusterContext) {
    this.map = map
    this.#needs = needs
    this.#forms = forms
    this.#context = context
    this.#choice = new NodeChoice(map, needs, context)
    this.#moves = new ShardMoves(map, needs, context)
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
    return this.#choice.narrow(plan, routeOnCluster(plan.accesses, call, state, this.map))
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
    const server = this.#choice.serverOf(plan, route, context.transaction)
    const order = route.place || plan.kind !== 'insert' ? undefined : this.#orderOf(plan)
    if (order) return await this.#insertInOrder(order, plan, route, server, context)
    const statement = await this.#statementOf(plan, route, sql, server, context)
    if (route.place && server !== coordinator) this.#context.counts.add(route.place)
    return toQueryResult(await this.#moves.run(plan, route, server, statement, context))
  }

  async *stream(
    asked: PreparedPlan,
    route: Route,
    sql: string,
    chunkSize: number,
    context: ExecutionContext,
  ): AsyncIterableIterator<QueryResult<unknown>> {
    const plan = isSpread(route) ? (await this.#triedForm(asked, route, sql, context)).plan : asked
    const server = this.#choice.serverOf(plan, route, context.transaction)
    const statement = await this.#statementOf(plan, route, sql, server, context)
    yield* this.#moves.stream(route, server, statement, chunkSize, context)
  }

  async describe(plan: PreparedPlan, route: Route, state: RouterState): Promise<Partial<Explanation>> {
    const pulled = isSpread(route) ? this.#forms.of(plan).pulled : undefined
    return await describeOnCluster(plan, route, { state, map: this.map, need: this.#needs.of(plan), pulled })
  }

  transaction(state: RouterState, options: TransactionOptions, pool: TransactionPool): RouterTransaction {
    const elsewhere = async (server: number, error: unknown, run?: RunOptions): Promise<Lease> => {
      if (!this.#moves.mayGoElsewhere(undefined, server, error, 'write')) throw error
      return await pool.lease(coordinator, { ...run, access: 'write' })
    }
    return new ClusterTransaction(pool, options, state.telemetry, elsewhere)
  }

  refusalOf(error: unknown): unknown {
    return citusRefusal(error)
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

  async #insertInOrder(order: InsertOrder, plan: PreparedPlan, route: Route, server: number, caller: ExecutionContext) {
    const context = plan.traits.clock.length === 0 ? caller : await withMoment(plan, caller)
    const result = await this.#moves.insert(route, server, order.statement(context), context)
    return toQueryResult(order.arrange(result, context))
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
}

/** True when the statement needs several shards, of which the coordinator takes care. */
function isSpread(route: Route): boolean {
  return route.shards.length > 0 && route.place === undefined
}
