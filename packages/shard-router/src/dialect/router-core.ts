import {
  type Clock,
  type KeyObserver,
  type Schema,
  type Telemetry,
  type Topology,
  TopologyError,
} from '@shardwright/core'
import type { CompiledQuery, TransactionSettings } from 'kysely'
import { RoutingError } from '../errors/routing-error.ts'
import type { RouterState } from '../execute/context.ts'
import { emptyCatalog, loadCatalog } from '../execute/load-catalog.ts'
import { TypeNames } from '../merge/type-names.ts'
import { planStatement } from '../plan/planner.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import type { TypeParsers } from '../pool/row-reader.ts'
import type { ShardPool } from '../pool/shard-pool.ts'
import type { RouterTransaction } from '../transaction/router-transaction.ts'
import { PlanCache } from './plan-cache.ts'

export interface CoreOptions {
  readonly schema: Schema
  readonly pool: ShardPool
  readonly telemetry: Telemetry
  readonly keyObserver: KeyObserver | undefined
  readonly clock: Clock
  readonly planCacheSize: number
  readonly parsers: TypeParsers
  /** Makes a transaction that may span shards. */
  readonly atomic: (state: RouterState, settings: TransactionSettings) => RouterTransaction
}

/** What all doors of a router share: topology, catalog, connections and plans. */
export class RouterCore {
  readonly schema: Schema
  readonly telemetry: Telemetry
  readonly clock: Clock
  readonly #planCacheSize: number
  readonly #keyObserver: KeyObserver | undefined
  readonly #atomic: CoreOptions['atomic']
  readonly #parsers: TypeParsers
  #pool: ShardPool
  #plans: PlanCache
  #state: RouterState | undefined
  #loading: Promise<RouterState> | undefined
  #closed = false
  #turn = 0

  constructor(options: CoreOptions) {
    this.schema = options.schema
    this.telemetry = options.telemetry
    this.clock = options.clock
    this.#keyObserver = options.keyObserver
    this.#pool = options.pool
    this.#atomic = options.atomic
    this.#parsers = options.parsers
    this.#planCacheSize = options.planCacheSize
    this.#plans = new PlanCache(options.planCacheSize)
    this.soleShard = soleShardOf(options.schema)
  }

  /**
   * The shard on which every table of the schema is placed, if there is one: then there is nothing to route, and any
   * statement, also raw or of the schema, means what it means on one PostgreSQL.
   */
  readonly soleShard: string | undefined

  get topology(): Topology {
    return this.#pool.topology
  }

  get pool(): ShardPool {
    return this.#pool
  }

  /** The loaded state, without waiting, on the hot path. */
  get state(): RouterState | undefined {
    return this.#closed ? undefined : this.#state
  }

  /** Checks every shard and reads the catalog, once; a failure is tried again by the next statement. */
  async ready(): Promise<RouterState> {
    if (this.#closed) {
      throw new RoutingError({ code: 'ROUTER_CLOSED', message: 'The router is closed.', hint: 'Create a new router.' })
    }
    if (this.#state) return this.#state
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined
    })
    return await this.#loading
  }

  async #load(): Promise<RouterState> {
    const pool = this.#pool
    const catalog = this.soleShard
      ? await emptyCatalog(this.soleShard, pool)
      : await loadCatalog(this.schema, pool.topology, pool)
    const state: RouterState = Object.freeze({
      schema: this.schema,
      topology: pool.topology,
      catalog,
      pool,
      types: new TypeNames(pool),
      parsers: this.#parsers,
      telemetry: this.telemetry,
      keyObserver: this.#keyObserver,
      clock: this.clock,
    })
    this.#state = state
    return state
  }

  /** Reads the catalog anew: after a migration. */
  async refresh(): Promise<void> {
    this.#state = undefined
    this.#plans = new PlanCache(this.#planCacheSize)
    await this.ready()
  }

  plan(query: CompiledQuery, state: RouterState): PreparedPlan {
    const known = this.#plans.get(query.sql)
    if (known) return known
    const plan = planStatement(query.query, state.schema, state.catalog)
    this.#plans.set(query.sql, plan)
    return plan
  }

  confinedPlan(sql: string, family: string, make: () => PreparedPlan): PreparedPlan {
    const key = `${family}\u0000${sql}`
    const known = this.#plans.get(key)
    if (known) return known
    const plan = make()
    this.#plans.set(key, plan)
    return plan
  }

  /** Round robin over the shards, for what each of them can answer. */
  nextShard(shards: number): number {
    this.#turn = (this.#turn + 1) % shards
    return this.#turn
  }

  atomicTransaction(state: RouterState, settings: TransactionSettings): RouterTransaction {
    return this.#atomic(state, settings)
  }

  /** Checks the shards of the next topology, then swaps it and the connections together. */
  async replaceTopology(next: Topology): Promise<void> {
    const state = await this.ready()
    refuseOtherTopology(state.topology, next)
    const { pool, drained } = this.#pool.replaceTopology(next)
    const catalog = this.soleShard
      ? await emptyCatalog(this.soleShard, pool)
      : await loadCatalog(this.schema, next, pool)
    this.#pool = pool
    this.#state = Object.freeze({ ...state, catalog, topology: next, pool, types: new TypeNames(pool) })
    this.#plans = new PlanCache(this.#planCacheSize)
    await drained
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#pool.close()
  }
}

function soleShardOf(schema: Schema): string | undefined {
  const shards = new Set(schema.tables.map((table) => (table.kind === 'single' ? table.shard : undefined)))
  return shards.size === 1 ? [...shards][0] : undefined
}

/** Keys stay in their buckets for ever: only shards, the bucket map and pins may change. */
function refuseOtherTopology(current: Topology, next: Topology): void {
  const fault =
    next.id !== current.id
      ? `it is topology '${next.id}', and this router runs '${current.id}'`
      : next.hash !== current.hash || next.buckets !== current.buckets
        ? 'hash and number of buckets cannot change'
        : next.epoch <= current.epoch
          ? `its epoch ${next.epoch} is not after ${current.epoch}`
          : undefined
  if (!fault) return
  throw new TopologyError({
    code: 'TOPOLOGY_CONFLICT',
    message: `The topology cannot replace the current one: ${fault}.`,
    hint: 'Change shards, bucketMap or pins of the current topology, and raise its epoch.',
  })
}
