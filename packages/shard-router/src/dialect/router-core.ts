import {
  type AnyTopology,
  type Clock,
  isCitus,
  type KeyObserver,
  type Schema,
  type SchemaWarning,
  type Telemetry,
  uniquePerShard,
} from '@shardwright/core'
import { type CompiledQuery, PostgresQueryCompiler } from 'kysely'
import { type Client, types } from 'pg'
import type { UnreadShards } from '../catalog/unread-shards.ts'
import type { EngineSource, LoadedEngine } from '../engine/engine-source.ts'
import { soleShardOf } from '../engine/sole-shard.ts'
import { RoutingError } from '../errors/routing-error.ts'
import type { RouterState } from '../execute/context.ts'
import { TypeNames } from '../merge/type-names.ts'
import { planStatement } from '../plan/planner.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { withPlainEnd } from '../plan/raw/statement-end.ts'
import type { TypeParsers } from '../pool/row-reader.ts'
import type { AnyShardPool } from '../pool/shard-pool.ts'
import { Contention } from '../transaction/contention.ts'
import { OngoingWork } from './ongoing-work.ts'
import { PlanCache } from './plan-cache.ts'

export interface CoreOptions {
  readonly source: EngineSource
  readonly pool: AnyShardPool
  readonly telemetry: Telemetry
  readonly keyObserver: KeyObserver | undefined
  readonly clock: Clock
  readonly planCacheSize: number
  readonly parsers: TypeParsers
}

export interface ReplacedTopology {
  /** Resolves when nothing uses the former topology any more. */
  readonly drained: Promise<void>
  /** How many statements and transactions still do. */
  ongoing(): number
}

/** What all doors of a router share: topology, catalog, connections and plans. */
export class RouterCore {
  readonly schema: Schema
  readonly telemetry: Telemetry
  readonly clock: Clock
  /** The shard that every statement goes to, where all tables are on one. */
  readonly soleShard: string | undefined
  readonly contention: Contention
  /** Of all doors: a door is opened for one statement as a rule, and a compiler is most of what a Kysely costs. */
  readonly compiler = new PostgresQueryCompiler()
  readonly #options: CoreOptions
  #source: EngineSource
  #pool: AnyShardPool
  #plans: PlanCache
  #state: RouterState | undefined
  #loading: Promise<RouterState> | undefined
  #completing: Promise<void> | undefined
  #replacing: Promise<unknown> = Promise.resolve()
  #ongoing = new OngoingWork()
  #unread: UnreadShards | undefined
  #following: { stop(): Promise<void> } | undefined
  #closed = false
  #closing: Promise<void> | undefined
  #warnings: readonly SchemaWarning[] = []

  constructor(options: CoreOptions) {
    const { source, pool, clock, planCacheSize } = options
    this.#options = options
    this.#source = source
    this.#pool = pool
    this.schema = source.schema
    this.telemetry = options.telemetry
    this.clock = clock
    this.contention = new Contention(clock)
    this.soleShard = soleShardOf(source.schema)
    this.#plans = new PlanCache(planCacheSize)
  }

  get topology(): AnyTopology {
    return this.#source.topology
  }

  /** The loaded state, without waiting. */
  get state(): RouterState | undefined {
    return this.#closed ? undefined : this.#state
  }

  /**
   * Checks the shards and reads the catalog, once; a failure is tried again by the next statement. A shard that cannot be
   * reached is checked when it is back.
   */
  async ready(): Promise<RouterState> {
    if (this.#closed) {
      throw new RoutingError({ code: 'ROUTER_CLOSED', message: 'The router is closed.', hint: 'Create a new router.' })
    }
    if (this.#state) return this.#state
    return await this.#loadOnce(false)
  }

  #loadOnce(patiently: boolean): Promise<RouterState> {
    this.#loading ??= this.#load(patiently).finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  /** The loaded state for a statement or a transaction, which is waited for until `state.ongoing.end()`. */
  async begin(): Promise<RouterState> {
    for (;;) {
      await this.ready()
      // Another topology may have come, or the end, while this waited.
      const state = this.beginNow()
      if (state !== undefined) return state
    }
  }

  /** The same without waiting, on the hot path; `undefined` when nothing is loaded. */
  beginNow(): RouterState | undefined {
    const { state } = this
    state?.ongoing.begin()
    return state
  }

  async #load(patiently: boolean): Promise<RouterState> {
    const loaded = await this.#source.load(this.#pool, patiently)
    return await this.#install(loaded)
  }

  async #install(loaded: LoadedEngine): Promise<RouterState> {
    await this.#following?.stop()
    const state = this.#adopt(loaded)
    this.#following = this.#source.follow(loaded, (next) => this.#adopt(next))
    if (this.#closed) await this.#following.stop()
    return state
  }

  /**
   * Looks at a new session of a shard that was down when the catalog was read. When all is well, the catalog is read anew.
   * @throws RoutingError CATALOG_MISMATCH, KEY_COLUMN_UNSUITABLE
   */
  async admit(shard: string, client: Client): Promise<void> {
    const unread = this.#unread
    if (unread?.reasons.has(shard) !== true) return
    await unread.admit(shard, async (sql, parameters) => {
      const { rows } = await client.query({ text: sql, values: [...parameters], types })
      return rows
    })
    this.#completing ??= this.#complete().finally(() => {
      this.#completing = undefined
    })
    this.#completing.catch((error: Error) => {
      this.telemetry.log('warn', `the catalog was not read anew: ${error.message}`, { shard })
    })
  }

  /** Reads the catalog with the shards that were missing in it. */
  async #complete(): Promise<void> {
    const source = this.#source
    const loaded = await source.load(this.#pool, true)
    // A topology that came meanwhile was read with all its shards.
    if (source !== this.#source || this.#closed) return
    await this.#install(loaded)
    this.#plans = new PlanCache(this.#options.planCacheSize)
  }

  /**
   * As `ready`, with every shard.
   * @throws ConnectionError SHARD_UNREACHABLE
   */
  async complete(): Promise<RouterState> {
    if (this.#state === undefined && this.#loading === undefined && !this.#closed) await this.#loadOnce(true)
    else {
      await this.ready()
      if (this.#unread !== undefined) await this.#complete()
    }
    for (const reason of this.#unread?.reasons.values() ?? []) throw reason
    return await this.ready()
  }

  #adopt({ engine, catalog, pool, unread }: LoadedEngine): RouterState {
    this.#unread = unread
    const { telemetry, keyObserver, clock, parsers } = this.#options
    const samePool = this.#state !== undefined && pool === this.#pool
    const types = samePool ? this.#state!.types : new TypeNames(pool)
    const { schema } = this
    const { topology } = pool
    if (pool !== this.#pool) this.#ongoing = new OngoingWork()
    const ongoing = this.#ongoing
    const state = { schema, topology, engine, catalog, pool, types, parsers, telemetry, keyObserver, clock, ongoing }
    this.#pool = pool
    this.#warn(state)
    this.#state = Object.freeze(state)
    return this.#state
  }

  #warn({ catalog, schema: known, topology }: RouterState): void {
    if (topology.shards.length === 1 || isCitus(this.topology)) return
    const tables = known.tables.filter(({ kind }) => kind === 'sharded')
    const uniques = tables.flatMap(({ schema, table }) =>
      (catalog.table(schema, table)?.uniques ?? []).map((unique) => ({ schema, table, ...unique })),
    )
    const told = new Set(this.#warnings.map(({ message }) => message))
    this.#warnings = uniquePerShard(known, uniques)
    for (const { code, message, hint, details } of this.#warnings) {
      if (!told.has(message)) this.telemetry.log('warn', `${message} ${hint}`, { code, table: details.table })
    }
  }

  /** What the catalog has that may not mean what was meant. */
  get warnings(): readonly SchemaWarning[] {
    return this.#warnings
  }

  /** @throws RoutingError UNKNOWN_SHARD, as far as the shards are known before any was asked */
  checkShard(id: string): void {
    this.#source.checkShard(id)
  }

  /** Reads the catalog anew: after a migration. */
  async refresh(): Promise<void> {
    this.#state = undefined
    this.#plans = new PlanCache(this.#options.planCacheSize)
    this.#pool.forgetStatements()
    await this.ready()
  }

  plan(query: CompiledQuery, state: RouterState): PreparedPlan {
    const known = this.#plans.get(query.sql)
    if (known) return known
    const plan = planStatement(withPlainEnd(query), state.schema, state.catalog)
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

  /**
   * Checks the shards of the next topology, then swaps it and the connections together; one after the other. `drained`
   * resolves when all that began before is over.
   */
  replaceTopology(next: AnyTopology): Promise<ReplacedTopology> {
    const replaced = this.#replacing.then(() => this.#replaceTopology(next))
    this.#replacing = replaced.catch(() => {})
    return replaced
  }

  async #replaceTopology(next: AnyTopology): Promise<ReplacedTopology> {
    await this.ready()
    const before = this.#ongoing
    const { source, loaded, drain } = await this.#source.replace(next, this.#pool)
    this.#source = source
    await this.#install(loaded)
    this.#plans = new PlanCache(this.#options.planCacheSize)
    const drained = Promise.all([drain(), before.drained()]).then(() => {})
    return { drained, ongoing: () => before.count }
  }

  /** Every caller waits for the same end. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    this.#closed = true
    await this.#following?.stop()
    await this.#pool.close()
  }
}
