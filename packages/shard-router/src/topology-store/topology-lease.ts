import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import {
  type Clock,
  type Fleet,
  noTelemetry,
  systemClock,
  type Telemetry,
  type Topology,
  type TopologyShard,
} from '@shardwright/core'
import type { TopologyGate } from '../pool/topology-gate.ts'
import { ShardLease } from './shard-lease.ts'
import { fromStored, type StoredTopology } from './stored-topology.ts'
import { topologyStoreError } from './topology-store-error.ts'

export interface HoldOptions {
  /** How long a lease lasts without renewal. Default: 15000. */
  readonly leaseMs?: number | undefined
  /** Default: a third of the lease. */
  readonly heartbeatMs?: number | undefined
  /** Servers by shard id, where a new topology may name more shards than the first. Default: those of the first. */
  readonly knownShards?: readonly TopologyShard[] | undefined
  /** A later epoch was published: swap router and topology, then call `adopt`. */
  readonly onChange?: ((next: Topology) => void | Promise<void>) | undefined
  readonly clock?: Clock | undefined
  readonly telemetry?: Telemetry | undefined
}

/** This process's leases on the current epoch, one on each shard. */
export class TopologyLease implements TopologyGate {
  readonly #shards: ReadonlyMap<string, ShardLease>
  readonly #known: readonly TopologyShard[]
  readonly #onChange: HoldOptions['onChange']
  readonly #telemetry: Telemetry
  readonly #inUse = new Map<number, number>()
  #epoch: number
  #announced: number

  private constructor(fleet: Fleet, topology: Topology, options: HoldOptions) {
    const leaseMs = options.leaseMs ?? 15_000
    const settings = {
      topologyId: fleet.topologyId,
      holder: randomUUID(),
      description: `${hostname()} process ${process.pid}`,
      leaseMs,
      heartbeatMs: options.heartbeatMs ?? leaseMs / 3,
      clock: options.clock ?? systemClock,
      telemetry: options.telemetry ?? noTelemetry,
      epoch: () => this.#oldestInUse(),
      saw: (stored: StoredTopology) => this.#saw(stored),
    }
    this.#epoch = topology.epoch
    this.#announced = topology.epoch
    this.#known = options.knownShards ?? topology.shards
    this.#onChange = options.onChange
    this.#telemetry = settings.telemetry
    this.#shards = new Map(fleet.shards.map((shard) => [shard.id, new ShardLease(shard, settings)]))
  }

  /** Resolves when every shard was asked once; a shard that did not answer is tried on, and refused until it does. */
  static async take(fleet: Fleet, topology: Topology, options: HoldOptions): Promise<TopologyLease> {
    const lease = new TopologyLease(fleet, topology, options)
    await Promise.all([...lease.#shards.values()].map((shard) => shard.start()))
    return lease
  }

  get epoch(): number {
    return this.#epoch
  }

  check(shard: string): void {
    const lease = this.#shards.get(shard)
    if (lease?.valid === true) return
    throw topologyStoreError(
      'TOPOLOGY_STALE',
      `The lease on epoch ${this.#epoch} at shard '${shard}' is over${lease?.reason ?? ''}.`,
      {
        shard,
        epoch: this.#epoch,
      },
    )
  }

  enter(epoch: number): () => void {
    this.#inUse.set(epoch, (this.#inUse.get(epoch) ?? 0) + 1)
    let left = false
    return () => {
      if (left) return
      left = true
      const count = this.#inUse.get(epoch)! - 1
      if (count === 0) this.#inUse.delete(epoch)
      else this.#inUse.set(epoch, count)
    }
  }

  /** New work uses `topology` now. The leases follow when the last work of older epochs is over. */
  async adopt(topology: Topology): Promise<void> {
    this.#epoch = Math.max(this.#epoch, topology.epoch)
    await Promise.all([...this.#shards.values()].map((shard) => shard.renew()))
  }

  async release(): Promise<void> {
    await Promise.all([...this.#shards.values()].map((shard) => shard.release()))
  }

  #oldestInUse(): number {
    return Math.min(this.#epoch, ...this.#inUse.keys())
  }

  #saw(stored: StoredTopology): void {
    if (stored.epoch <= this.#announced) return
    this.#announced = stored.epoch
    // A change that this process cannot follow leaves its leases behind: they expire, and it refuses to guess.
    Promise.resolve()
      .then(() => this.#onChange?.(fromStored(stored, this.#known)))
      .catch((error: unknown) => {
        this.#telemetry.log('error', `epoch ${stored.epoch} cannot be followed: ${(error as Error).message}`, {
          epoch: stored.epoch,
        })
      })
  }
}
