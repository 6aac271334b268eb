import {
  type AnyTopology,
  type CitusTopology,
  type CitusTopologyInput,
  type ConfinedDatabase,
  type DatabaseOf,
  type FamilyKey,
  type FamilyOfKey,
  type Fleet,
  isCitus,
  noHashTopology,
  noTelemetry,
  type Schema,
  type SchemaWarning,
  systemClock,
  type Topology,
  type TopologyInput,
} from '@shardwright/core'
import type {
  Compilable,
  CompiledQuery,
  ControlledTransactionBuilder,
  Dialect,
  Kysely,
  TransactionBuilder,
} from 'kysely'
import pg from 'pg'
import { withCallersStack } from './dialect/callers-stack.ts'
import { confinedMode } from './dialect/confined-mode.ts'
import { drainedWithin } from './dialect/drained-within.ts'
import { fanOutMode, keyedMode, type Mode } from './dialect/mode.ts'
import { openKysely } from './dialect/open-kysely.ts'
import { type ReplacedTopology, RouterCore } from './dialect/router-core.ts'
import { ShardDialect } from './dialect/shard-dialect.ts'
import { engineSource } from './engine/engine-source-of.ts'
import { refuseLookupsOnCitus } from './engine/refuse-lookups.ts'
import type { PartialResult } from './execute/collected-rows.ts'
import type { FanOutOptions, MissingShard } from './execute/context.ts'
import { type Explainable, type ExplainOptions, explainedMode, figuresOf } from './explain/explain-options.ts'
import { explainQuery } from './explain/explain-query.ts'
import type { Explanation } from './explain/explanation.ts'
import { refuse } from './plan/refuse.ts'
import { createShardPool } from './pool/create-shard-pool.ts'
import { directFleet } from './pool/direct-fleet.ts'
import { checkReads } from './pool/read-preference.ts'
import { type RetrySettings, retrySettings } from './pool/retry-settings.ts'
import type { ReadPreference } from './pool/shard-pool.ts'
import { unfailing } from './pool/unfailing-telemetry.ts'
import { checkFanOut, checkOptions, resolveTopology, type ShardRouterOptions } from './router-options.ts'
import { checkLease, refuseBesideLease } from './topology-store/check-lease.ts'
import { Aftermath } from './transaction/aftermath.ts'
import { assertAtomicCommits } from './transaction/assert-atomic-commits.ts'
import { atomicTransactions } from './transaction/atomic-transactions.ts'
import { configured } from './transaction/configure-builder.ts'
import { IdempotentTransaction } from './transaction/idempotent-transaction.ts'
import { type MovedKey, type MoveKeyOptions, moveKey } from './transaction/move-key.ts'
import type { TransactionOptions } from './transaction/router-transaction.ts'
import { type BackgroundRecovery, startRecovery } from './transaction/start-recovery.ts'

/** Routes Kysely queries to the shards of a topology. Made by `createShardRouter`; closed by `close()`. */
export class ShardRouter<S extends Schema> implements AsyncDisposable {
  /** Plain Kysely: each query goes to the shard that its own shard key names. */
  readonly db: Kysely<DatabaseOf<S>>
  readonly #core: RouterCore
  readonly #options: ShardRouterOptions<S>
  readonly #retry: RetrySettings
  readonly #aftermath = new Aftermath()
  readonly #unfollow: (() => void) | undefined
  #fleet: Fleet | undefined
  #recovery: BackgroundRecovery | undefined

  constructor(options: ShardRouterOptions<S>) {
    const { planCacheSize } = checkOptions(options)
    const topology = resolveTopology(options.topology)
    if (isCitus(topology) && options.schema.lookups.length > 0) refuseLookupsOnCitus()
    if (options.lease !== undefined) checkLease(options.lease, topology)
    const telemetry = unfailing(options.telemetry ?? noTelemetry)
    const atomic = atomicTransactions(telemetry, options.atomic, this.#aftermath)
    this.#options = options
    const clock = options.clock ?? systemClock
    const source = engineSource(options.schema, topology, {
      telemetry,
      clock,
      atomic: (state, settings) => {
        this.#startRecovery()
        return atomic(state, settings)
      },
    })
    const pool = createShardPool(source.shards, {
      ...options.pool,
      ...(options.telemetry ? { telemetry } : {}),
      ...(options.clock ? { clock: options.clock } : {}),
      ...(options.lease ? { gate: options.lease } : {}),
      admit: (shard, client) => this.#core.admit(shard, client),
    })
    this.#retry = retrySettings(options.pool?.retry)
    this.#core = new RouterCore({
      source,
      pool,
      telemetry,
      keyObserver: options.keyObserver,
      clock,
      planCacheSize,
      parsers: options.pool?.types ?? pg.types,
    })
    this.db = this.#open(keyedMode)
    this.#unfollow = options.lease?.follow((next) => this.#swapTopology(next))
  }

  /**
   * For a Kysely of your own, with other plugins or log: `new Kysely({ dialect: router.dialect })`. Its executor is Kysely's:
   * in a transaction, a statement beside an open stream waits for the stream's end.
   */
  get dialect(): Dialect {
    return new ShardDialect(this.#core, keyedMode, 'unknown')
  }

  /** What keeps the shards: PostgreSQL and the router's own hash, or Citus. */
  get engine(): 'hash' | 'citus' {
    return isCitus(this.#core.topology) ? 'citus' : 'hash'
  }

  /** What the tables have that may not mean what was meant, as far as `ready()` or the first query has found it. */
  get warnings(): readonly SchemaWarning[] {
    return this.#core.warnings
  }

  /** @throws TopologyError NO_HASH_TOPOLOGY on Citus, whose shards are in its own metadata */
  get topology(): Topology {
    const { topology } = this.#core
    if (!isCitus(topology)) return topology
    throw noHashTopology(topology)
  }

  /** All shards on their direct connections, for migrations, partitions and recovery; of a Citus cluster, the coordinator. */
  get fleet(): Fleet {
    this.#fleet ??= directFleet(this.#core.topology)
    return this.#fleet
  }

  /**
   * Connects to every shard and checks tables and shard keys, as the first query would do; opens the minimum of each pool,
   * and warns when the servers do not admit what all processes may open.
   * @throws ConnectionError SHARD_UNREACHABLE; RoutingError CATALOG_MISMATCH, KEY_COLUMN_UNSUITABLE; with `atomic` set or
   * lookups in the schema, TransactionError ATOMIC_COMMIT_UNAVAILABLE
   */
  async ready(): Promise<void> {
    try {
      const { pool, engine } = await this.#core.complete()
      await pool.warm((shard) => engine.needs(shard))
      const { atomic, schema } = this.#options
      if (atomic !== undefined || schema.lookups.length > 0) await assertAtomicCommits(pool)
    } catch (error) {
      throw withCallersStack(error)
    }
  }

  /** Reads the catalogs of the shards anew, and drops all plans: after a migration. */
  async refresh(): Promise<void> {
    await this.#core.refresh()
  }

  /**
   * A Kysely of one key: only the tables of its family and reference tables exist, and no query can leave the key.
   * @example
   * await router.for({ festival_id: f }).selectFrom('wallets').selectAll().execute()
   */
  for<const K extends FamilyKey<S>>(key: K): Kysely<ConfinedDatabase<S, FamilyOfKey<S, K>>> {
    return this.#open(confinedMode(key, this.#core.schema))
  }

  /**
   * A Kysely whose queries may ask every shard.
   * @example
   * await router.fanOut({ maxRows: 1_000_000 }).selectFrom('orders').select(({ fn }) => fn.countAll().as('n')).execute()
   */
  fanOut(options?: FanOutOptions): Kysely<DatabaseOf<S>> {
    return this.#open(options === undefined ? fanOutMode : { kind: 'fan-out', fanOut: checkFanOut(options) })
  }

  /** The raw door to one shard: every statement goes there as it is. @throws RoutingError UNKNOWN_SHARD */
  onShard(id: string): Kysely<DatabaseOf<S>> {
    this.#core.checkShard(id)
    return this.#open({ kind: 'shard', shard: id })
  }

  /**
   * `router.db` with another choice of servers for reads.
   * @throws ConfigurationError INVALID_POOL_OPTIONS
   */
  reads(preference: ReadPreference): Kysely<DatabaseOf<S>> {
    return this.#open({ kind: 'keyed', reads: checkReads(preference) })
  }

  /**
   * A transaction builder; with `crossShard: 'atomic'` it may span shards and commits on all of them or on none.
   * @example
   * await router.transaction({ crossShard: 'atomic' }).execute(async (trx) => { ... })
   * await router.transaction({ idempotent: true, isolationLevel: 'serializable' }).execute(async (trx) => { ... })
   */
  transaction(options?: TransactionOptions & { readonly idempotent?: false }): TransactionBuilder<DatabaseOf<S>>
  transaction(options: TransactionOptions & { readonly idempotent: true }): IdempotentTransaction<DatabaseOf<S>>
  transaction(
    options: TransactionOptions = {},
  ): TransactionBuilder<DatabaseOf<S>> | IdempotentTransaction<DatabaseOf<S>> {
    const builder = configured(this.#transacting(options).transaction(), options)
    return options.idempotent === true ? this.idempotent(builder) : builder
  }

  /**
   * The same for a transaction of another door, such as one confined to a key.
   * @example
   * await router.idempotent(router.for({ festival_id: f }).transaction()).execute(async (trx) => { ... })
   */
  idempotent<Database>(transaction: TransactionBuilder<Database>): IdempotentTransaction<Database> {
    const { telemetry, clock } = this.#core
    return new IdempotentTransaction(transaction, { retry: this.#retry, clock, telemetry })
  }

  /**
   * The same for a transaction that the caller ends, with savepoints over all its shards.
   * @example
   * const trx = await router.startTransaction({ crossShard: 'atomic' }).execute()
   */
  startTransaction(options: TransactionOptions = {}): ControlledTransactionBuilder<DatabaseOf<S>> {
    return configured(this.#transacting(options).startTransaction(), options)
  }

  /**
   * What the router would do with a query: shards and buckets, reason, SQL and expected rows of each shard, merge steps.
   * A query of `router.for(key)` needs its key.
   * @throws RoutingError as running it would; UNSUPPORTED_STATEMENT for `analyze` of a write
   * @example
   * console.log(`${await router.explain(query)}`)
   * await router.explain(query, { analyze: true }) // runs it: rows and milliseconds per shard
   * await router.explain(query, { for: { festival_id: f } })
   */
  async explain(query: Explainable, options: ExplainOptions = {}): Promise<Explanation> {
    const compiled = 'compile' in query ? query.compile() : query
    const mode = explainedMode(options, (key) => confinedMode(key, this.#core.schema))
    return await explainQuery(compiled, mode, this.#core, figuresOf(options))
  }

  /**
   * The ids of the shards that a compiled query needs, without running it; empty when any shard can answer. Costs what
   * planning costs: a known shape a few microseconds.
   * @throws RoutingError ROUTER_NOT_READY before the first query or `ready()`, and as running the query would
   * @example
   * router.shardsOf(router.db.selectFrom('wallets').selectAll().where('festival_id', '=', f).compile()) // ['eu-1']
   */
  shardsOf(query: CompiledQuery): readonly string[] {
    const { state } = this.#core
    if (!state) refuse('ROUTER_NOT_READY', 'The router has not read the catalog yet.', 'Await router.ready() first.')
    const { shards } = state.engine.route(this.#core.plan(query, state), { parameters: query.parameters }, state)
    return shards.map((shard) => state.topology.shards[shard]?.id ?? String(shard))
  }

  /**
   * Runs a fan-out that may lack shards: its result says which did not answer.
   * @throws MergeError SHARDS_MISSING when none did
   * @example
   * const { rows, missing } = await router.collect(router.fanOut().selectFrom('orders').selectAll(), { partial: true })
   */
  async collect<Row>(
    query: Compilable<Row>,
    options: { readonly partial: true } & FanOutOptions,
  ): Promise<PartialResult<Row>> {
    const { partial: _, ...fanOut } = options
    const missing: MissingShard[] = []
    const { rows } = await this.#open({ kind: 'fan-out', fanOut: checkFanOut(fanOut), missing }).executeQuery<Row>(
      query.compile(),
    )
    return { rows, missing }
  }

  /**
   * Routes by another topology from now on: a later epoch with the same id, hash and buckets. Checks its shards first;
   * statements and transactions that began before end on the old one. Resolves when they have: not to be awaited in one
   * of them. With a lease the router follows what is published instead: `TopologyStore.publish`.
   * @throws RoutingError INVALID_OPTIONS with a lease; TopologyError, ConnectionError, RoutingError CATALOG_MISMATCH; TopologyError TOPOLOGY_STILL_IN_USE when
   * `pool.closeTimeoutMs` is over and the old topology is still used; the next one is in force then
   */
  async replaceTopology(next: TopologyInput | Topology | CitusTopologyInput | CitusTopology): Promise<void> {
    if (this.#options.lease !== undefined) refuseBesideLease()
    try {
      const replaced = await this.#swapTopology(resolveTopology(next))
      await drainedWithin(replaced, this.#core.clock, this.#options.pool?.closeTimeoutMs)
    } catch (error) {
      throw withCallersStack(error)
    }
  }

  async #swapTopology(next: AnyTopology): Promise<ReplacedTopology> {
    const replaced = await this.#core.replaceTopology(next)
    this.#fleet = undefined
    return replaced
  }

  /** Waits for what runs and closes every connection. Idempotent. */
  async close(): Promise<void> {
    this.#unfollow?.()
    await this.#recovery?.stop()
    await this.#core.close()
    this.#aftermath.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /**
   * Gives all rows of a key another key, in every table of the family, on whichever shard that lives: all or nothing.
   * @throws TransactionError MOVE_KEY_UNSUITABLE; what the database refuses, e.g. a duplicate under the new key
   * @example
   * await router.moveKey({ family: 'user_id', from: 17, to: 18 })
   */
  async moveKey(options: MoveKeyOptions): Promise<MovedKey> {
    const state = await this.#core.begin()
    try {
      const transaction = state.engine.transaction(state, { crossShard: 'atomic' }, state.pool)
      return await moveKey(state, transaction, options)
    } catch (error) {
      throw state.engine.refusalOf(error)
    } finally {
      state.ongoing.end()
    }
  }

  #startRecovery(): void {
    const { recovery, telemetry, clock } = this.#options
    if (recovery === false) return
    this.#recovery ??= startRecovery(() => this.fleet, { ...recovery, telemetry, clock })
  }

  #transacting(options: TransactionOptions): Kysely<DatabaseOf<S>> {
    return this.#open({ kind: options.fanOut ? 'fan-out' : 'keyed', transaction: options })
  }

  #open<Database>(mode: Mode): Kysely<Database> {
    const { plugins, log } = this.#options
    return openKysely(this.#core, mode, { ...(plugins ? { plugins } : {}), ...(log ? { log } : {}) })
  }
}

/**
 * Makes a router. Nothing is opened until the first query (or `ready()`), which checks every shard first.
 * @throws TopologyError, ConfigurationError
 * @example
 * const router = createShardRouter({ schema, topology: { hash: 'postgres', shards: [{ id: 'eu', primary: url }] } })
 */
export function createShardRouter<S extends Schema>(options: ShardRouterOptions<S>): ShardRouter<S> {
  return new ShardRouter(options)
}
