import type { KeyToLocate } from '@shardwright/core'
import type { QueryResult } from 'kysely'
import type { ExecutionContext, RouterState } from '../../execute/context.ts'
import { toQueryResult, withMoment } from '../../execute/execute-plan.ts'
import type { Route } from '../../execute/route.ts'
import type { Explanation } from '../../explain/explanation.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import type { CallValues } from '../../plan/source.ts'
import type { Lease, RunOptions } from '../../pool/shard-pool.ts'
import type { TransactionPool } from '../../transaction/one-shard-transaction.ts'
import type { RouterTransaction, TransactionOptions } from '../../transaction/router-transaction.ts'
import type { Engine } from '../engine.ts'
import { citusRefusal } from './citus-refusal.ts'
import type { ClusterContext } from './cluster-context.ts'
import { type ClusterMap, coordinator } from './cluster-map.ts'
import { ClusterStatements } from './cluster-statements.ts'
import { ClusterTransaction } from './cluster-transaction.ts'
import type { CoordinatorNeeds } from './coordinator-needs.ts'
import { cteWritesAlone, writesBeside } from './cte-writes-alone.ts'
import { describeOnCluster } from './describe-on-cluster.ts'
import type { InsertOrder } from './insert-order.ts'
import { withLogicalNames } from './logical-names.ts'
import { NodeChoice } from './node-choice.ts'
import { isSpread, Ordinals, routeOnCluster } from './route-on-cluster.ts'
import { ShardMoves } from './shard-moves.ts'
import { ShardReads } from './shard-reads.ts'
import { SpreadExecution } from './spread-execution.ts'
import type { SpreadForms } from './spread-forms.ts'

/**
 * A Citus cluster: what is in one shard goes straight to its node, as the caller wrote it; everything else to the
 * coordinator, which plans it, in the form that it answers as one PostgreSQL would.
 */
export class CitusEngine implements Engine {
  readonly map: ClusterMap
  readonly #context: ClusterContext
  readonly #needs: CoordinatorNeeds
  readonly #forms: SpreadForms
  readonly #choice: NodeChoice
  readonly #moves: ShardMoves
  readonly #statements: ClusterStatements
  readonly #spread: SpreadExecution
  readonly #reads: ShardReads

  constructor(map: ClusterMap, needs: CoordinatorNeeds, forms: SpreadForms, context: ClusterContext) {
    this.map = map
    this.#needs = needs
    this.#forms = forms
    this.#context = context
    this.#choice = new NodeChoice(map, needs, context)
    this.#moves = new ShardMoves(map, needs, context)
    this.#statements = new ClusterStatements(map)
    this.#spread = new SpreadExecution(forms, this.#statements, this.#choice, this.#moves)
    this.#reads = new ShardReads(map, context.telemetry)
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
    const asWritten = (own: PreparedPlan) => this.#execute(own, route, sql, context)
    return isSpread(route)
      ? await this.#spread.run({ plan, route, sql }, context, asWritten)
      : await this.#forms.runPlaced(plan, asWritten, context.transaction === undefined)
  }

  async asSent(plan: PreparedPlan, route: Route, sql: string, context: ExecutionContext, asks: boolean) {
    return isSpread(route) ? await this.#spread.sent({ plan, route, sql }, context, asks) : plan
  }

  async #execute(plan: PreparedPlan, route: Route, sql: string, context: ExecutionContext) {
    const server = this.#choice.serverOf(plan, route, context.transaction)
    const order = route.place || plan.kind !== 'insert' ? undefined : this.#statements.orderOf(plan)
    if (order) return await this.#insertInOrder(order, plan, route, server, context)
    if (route.place && server !== coordinator) this.#context.counts.add(route.place)
    const read = await this.#reads.run(plan, route, server, context)
    if (read) return toQueryResult(read)
    const statement = await this.#statements.of(plan, route, sql, server, context)
    const alone = writesBeside(plan)
      ? await cteWritesAlone(plan, statement, server, await withMoment(plan, context))
      : undefined
    if (alone) {
      await this.#moves.run(plan, route, server, alone, context)
      return { numAffectedRows: 0n, rows: [] }
    }
    return toQueryResult(await this.#moves.run(plan, route, server, statement, context))
  }

  async *stream(
    asked: PreparedPlan,
    route: Route,
    sql: string,
    chunkSize: number,
    context: ExecutionContext,
  ): AsyncIterableIterator<QueryResult<unknown>> {
    const form = isSpread(route) ? await this.#spread.tried({ plan: asked, route, sql }, context) : undefined
    if (form?.gathered) {
      yield await this.#spread.gather(form.gathered, asked, context)
      return
    }
    const plan = form?.plan ?? asked
    if (writesBeside(plan)) {
      const { rows } = await this.#execute(plan, route, sql, context)
      if (rows.length > 0) yield { rows }
      return
    }
    const server = this.#choice.serverOf(plan, route, context.transaction)
    const statement = await this.#statements.of(plan, route, sql, server, context)
    yield* this.#moves.stream(route, server, statement, chunkSize, context)
  }

  async describe(plan: PreparedPlan, route: Route, state: RouterState): Promise<Partial<Explanation>> {
    const form = isSpread(route) ? this.#forms.of(plan) : undefined
    const ownTable = this.#reads.reads(plan)
    return await describeOnCluster(plan, route, { state, map: this.map, need: this.#needs.of(plan), form, ownTable })
  }

  transaction(state: RouterState, options: TransactionOptions, pool: TransactionPool): RouterTransaction {
    const elsewhere = async (server: number, error: unknown, run?: RunOptions): Promise<Lease> => {
      if (!this.#moves.mayGoElsewhere(undefined, server, error, 'write')) throw error
      return await pool.lease(coordinator, { ...run, access: 'write' })
    }
    return new ClusterTransaction(pool, options, state.telemetry, elsewhere)
  }

  refusalOf(error: unknown): unknown {
    const refusal = citusRefusal(error)
    return refusal === error ? withLogicalNames(error, this.map.metadata) : refusal
  }

  async #insertInOrder(order: InsertOrder, plan: PreparedPlan, route: Route, server: number, caller: ExecutionContext) {
    const context = plan.traits.clock.length === 0 ? caller : await withMoment(plan, caller)
    const result = await this.#moves.insert(route, server, order.statement(context), context)
    return toQueryResult(order.arrange(result, context))
  }
}
