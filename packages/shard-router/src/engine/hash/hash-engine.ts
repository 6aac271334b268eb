import { type KeyToLocate, locate, type Topology } from '@shardwright/core'
import type { QueryResult, TransactionSettings } from 'kysely'
import type { ExecutionContext, RouterState } from '../../execute/context.ts'
import { executeOnAny, executeOnMany, executeOnOne } from '../../execute/execute-plan.ts'
import { type Route, routeAccesses } from '../../execute/route.ts'
import { streamPlan } from '../../execute/stream-plan.ts'
import type { Explanation } from '../../explain/explanation.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { refuse } from '../../plan/refuse.ts'
import type { CallValues } from '../../plan/source.ts'
import { OneShardTransaction, type TransactionPool } from '../../transaction/one-shard-transaction.ts'
import type { RouterTransaction, TransactionOptions } from '../../transaction/router-transaction.ts'
import type { Engine } from '../engine.ts'

/** Makes a transaction that may span shards. */
export type AtomicMaker = (state: RouterState, settings: TransactionSettings) => RouterTransaction

/** Shards of PostgreSQL: keys by hash, buckets and pins; what needs several shards is taken apart and merged here. */
export class HashEngine implements Engine {
  readonly #topology: Topology
  readonly #atomic: AtomicMaker
  #turn = 0

  constructor(topology: Topology, atomic: AtomicMaker) {
    this.#topology = topology
    this.#atomic = atomic
  }

  locate(key: KeyToLocate): number {
    return locate(this.#topology, key).shard
  }

  bucketOf(key: KeyToLocate): number {
    return locate(this.#topology, key).bucket
  }

  route(plan: PreparedPlan, call: CallValues, state: RouterState): Route {
    return routeAccesses(plan.accesses, call, state)
  }

  needs(): boolean {
    return true
  }

  widthOf(route: Route): number {
    return route.shards.length
  }

  execute(plan: PreparedPlan, route: Route, sql: string, context: ExecutionContext): Promise<QueryResult<unknown>> {
    if (route.shards.length === 0 && plan.access === 'read' && !context.transaction)
      return executeOnAny(plan, this.#inTurn(), sql, context)
    if (route.shards.length <= 1) return executeOnOne(plan, oneShard(route, context), sql, context)
    refuseLeavingTransaction(route, context)
    return executeOnMany(plan, route, context)
  }

  async asSent(plan: PreparedPlan): Promise<PreparedPlan> {
    return plan
  }

  stream(
    plan: PreparedPlan,
    route: Route,
    sql: string,
    chunkSize: number,
    context: ExecutionContext,
  ): AsyncIterableIterator<QueryResult<unknown>> {
    if (route.shards.length > 1) refuseLeavingTransaction(route, context)
    return streamPlan.planned(plan, route, sql, chunkSize, context)
  }

  async describe(): Promise<Partial<Explanation>> {
    return {}
  }

  transaction(state: RouterState, options: TransactionOptions, pool: TransactionPool): RouterTransaction {
    return options.crossShard === 'atomic'
      ? this.#atomic(state, options)
      : new OneShardTransaction(pool, options, state.telemetry)
  }

  refusalOf(error: unknown): unknown {
    return error
  }

  /** All shards, beginning with another one each time. */
  #inTurn(): readonly number[] {
    const { length } = this.#topology.shards
    this.#turn = (this.#turn + 1) % length
    return this.#topology.shards.map((_, index) => (index + this.#turn) % length)
  }
}

/** The shard of a statement that needs at most one. */
function oneShard(route: Route, { transaction }: ExecutionContext): number {
  return route.shards[0] ?? transaction?.shards[0] ?? 0
}

/** A transaction on one shard must not see, or do, half of something. */
function refuseLeavingTransaction(route: Route, { transaction, state }: ExecutionContext): void {
  if (!transaction || transaction.spansShards) return
  const names = route.shards.map((shard) => state.topology.shards[shard]?.id ?? String(shard))
  refuse(
    'CROSS_SHARD_TRANSACTION',
    `The statement needs the shards ${names.join(', ')}, and the transaction is on one shard.`,
    "Use router.transaction({ crossShard: 'atomic' }), or run the statement outside the transaction.",
    { shards: names },
  )
}
