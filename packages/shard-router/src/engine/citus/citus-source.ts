import {
  type AnyTopology,
  type CitusTopology,
  type Clock,
  inspectCitusTables,
  isCitus,
  type Schema,
  type Telemetry,
  withSinglesOn,
} from '@shardwright/core'
import { emptyCatalog, loadCatalog } from '../../catalog/load-catalog.ts'
import { RoutingError } from '../../errors/routing-error.ts'
import type { Catalog } from '../../plan/catalog.ts'
import type { ShardList } from '../../pool/shard-list.ts'
import type { AnyShardPool } from '../../pool/shard-pool.ts'
import type { EngineSource, LoadedEngine, ReplacedEngine } from '../engine-source.ts'
import { soleShardOf } from '../sole-shard.ts'
import { topologyConflict } from '../topology-conflict.ts'
import { checkNodeSettings } from './check-settings.ts'
import { CitusEngine } from './citus-engine.ts'
import { type ClusterMap, coordinatorId } from './cluster-map.ts'
import { ClusterReader, coordinatorOf } from './cluster-reader.ts'
import { ClusterWatch } from './cluster-watch.ts'
import { CoordinatorNeeds } from './coordinator-needs.ts'
import { DirectCounts } from './direct-counts.ts'
import { NodeHealth } from './node-health.ts'
import { PlacementChecks } from './placement-checks.ts'
import { ShardDoubts } from './shard-doubts.ts'
import { SpreadForms } from './spread-forms.ts'

export interface CitusSourceOptions {
  readonly telemetry: Telemetry
  readonly clock: Clock
}

/** A cluster, by its coordinator; its nodes and shards are followed as they change. */
export class CitusSource implements EngineSource {
  readonly topology: CitusTopology
  readonly schema: Schema
  readonly shards: ShardList
  readonly #options: CitusSourceOptions
  readonly #health: NodeHealth
  readonly #counts = new DirectCounts()
  readonly #checks = new PlacementChecks()
  readonly #doubts: ShardDoubts
  readonly #reader: ClusterReader
  #watch: ClusterWatch | undefined

  constructor(schema: Schema, topology: CitusTopology, options: CitusSourceOptions) {
    this.schema = withSinglesOn(schema, coordinatorId)
    this.topology = topology
    this.#options = options
    this.#health = new NodeHealth(options.telemetry)
    this.#doubts = new ShardDoubts(options.clock)
    this.#reader = new ClusterReader(topology, this.schema, this.#health)
    const only = Object.freeze({ id: coordinatorId, primary: topology.coordinator, replicas: Object.freeze([]) })
    this.shards = Object.freeze({ id: topology.id, epoch: 1, shards: Object.freeze([only]) })
  }

  /** Nodes come and go: the statement itself finds out. */
  checkShard(): void {}

  async load(pool: AnyShardPool): Promise<LoadedEngine> {
    const map = await this.#reader.read(pool)
    const { pool: next } = poolOf(map, pool)
    const catalog = await this.#readCatalog(map, next)
    await within(firstProbeMs, this.#reader.probe(map, next), this.#options.clock)
    return this.#loaded(map, catalog, next)
  }

  async #readCatalog(map: ClusterMap, pool: AnyShardPool): Promise<Catalog> {
    if (soleShardOf(this.schema)) return await emptyCatalog(coordinatorId, pool)
    refuseDifferences(await inspectCitusTables(coordinatorOf(pool), this.schema, map.metadata))
    await checkNodeSettings(pool)
    return (await loadCatalog(this.schema, this.shards, pool)).catalog
  }

  async replace(next: AnyTopology, pool: AnyShardPool): Promise<ReplacedEngine> {
    if (!isCitus(next) || next.id !== this.topology.id) {
      const fault = isCitus(next)
        ? `it is topology '${next.id}', and this router runs '${this.topology.id}'`
        : 'it has shards of its own, and this router runs on a Citus cluster'
      throw topologyConflict(
        fault,
        'Give the same cluster by another address; its nodes and shards are followed anyway.',
      )
    }
    const source = new CitusSource(this.schema, next, this.#options)
    // The nodes stay open while the coordinator is asked at its new address.
    const known = pool.topology.shards.slice(1)
    const first = { ...source.shards, shards: [...source.shards.shards, ...known] }
    const { pool: between, drained } = pool.replaceTopology(first)
    return { source, loaded: await source.load(between), drain: () => drained }
  }

  follow(loaded: LoadedEngine, changed: (next: LoadedEngine) => void): { stop(): Promise<void> } {
    const { clock, telemetry } = this.#options
    let current = loaded
    const look = async () => {
      const next = await this.#lookAgain(current)
      if (next === current) return
      current = next
      changed(next)
    }
    const watch = new ClusterWatch(look, this.topology.refreshMs, clock, telemetry)
    this.#watch = watch
    watch.start()
    return { stop: () => watch.stop() }
  }

  /** The metadata is read in full only when its mark has changed. */
  async #lookAgain(current: LoadedEngine): Promise<LoadedEngine> {
    const { map: before } = current.engine as CitusEngine
    const { pool, catalog } = current
    if ((await this.#reader.mark(pool)) === before.mark) {
      this.#counts.clear()
      await this.#reader.probe(before, pool)
      return current
    }
    const map = await this.#reader.read(pool)
    const { pool: next, drained } = poolOf(map, pool)
    const misrouted = this.#counts.takeMisrouted(before, map)
    const { telemetry } = this.#options
    telemetry.count('shardwright.citus.metadata_changes', 1)
    if (misrouted > 0) telemetry.count('shardwright.citus.misrouted_statements', misrouted)
    void drained
    await this.#reader.probe(map, next)
    return this.#loaded(map, catalog, next)
  }

  #loaded(map: ClusterMap, catalog: Catalog, pool: AnyShardPool): LoadedEngine {
    const { telemetry } = this.#options
    const suspect = () => this.#watch?.suspect()
    const needs = new CoordinatorNeeds(this.schema, catalog)
    const context = {
      health: this.#health,
      counts: this.#counts,
      checks: this.#checks,
      doubts: this.#doubts,
      telemetry,
      queryFrom: this.topology.queryFrom,
      suspect,
    }
    const forms = new SpreadForms(this.schema, catalog)
    return { engine: new CitusEngine(map, needs, forms, context), catalog, pool }
  }
}

/** A node that does not answer at once is asked by way of the coordinator until it does. */
const firstProbeMs = 2_000

/** The pool with a map's servers; the same one when they are the same. */
function poolOf(map: ClusterMap, pool: AnyShardPool): { readonly pool: AnyShardPool; readonly drained: Promise<void> } {
  const addresses = (list: ShardList) =>
    JSON.stringify(list.shards.map(({ id, primary }) => [id, primary.address, primary.pooler]))
  if (addresses(map.servers) === addresses(pool.topology)) return { pool, drained: Promise.resolve() }
  return pool.replaceTopology({ ...map.servers, epoch: pool.topology.epoch + 1 })
}

async function within(limitMs: number, work: Promise<void>, clock: Clock): Promise<void> {
  const stop = new AbortController()
  const limit = clock.sleep(limitMs, { signal: stop.signal, unref: true }).catch(() => {})
  try {
    await Promise.race([work, limit])
  } finally {
    stop.abort()
  }
  // Whoever comes too late is told of by the next look.
  work.catch(() => {})
}

function refuseDifferences(differences: Awaited<ReturnType<typeof inspectCitusTables>>): void {
  if (differences.length === 0) return
  const shown = differences.map(({ table, expected, found }) => `'${table}' should be ${expected} and is ${found}`)
  throw new RoutingError({
    code: 'CATALOG_MISMATCH',
    message: `The tables of the Citus cluster are not as the schema says: ${shown.join('; ')}.`,
    hint: 'Run the migrations on the cluster, or what `shardwright citus check` names; or correct defineSchema.',
    details: { differences },
  })
}
