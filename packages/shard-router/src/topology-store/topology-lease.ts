import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import {
  type Clock,
  type Fleet,
  type FleetShard,
  noTelemetry,
  systemClock,
  type Telemetry,
  type Topology,
  type TopologyShard,
} from '@shardwright/core'
import { directFleet } from '../pool/direct-fleet.ts'
import type { TopologyGate } from '../pool/topology-gate.ts'
import { ShardLease, type ShardLeaseSettings } from './shard-lease.ts'
import { fromStored, type StoredTopology } from './stored-topology.ts'
import { topologyStoreError } from './topology-store-error.ts'
import { whereverPrimary } from './wherever-primary.ts'

export interface HoldOptions {
  /** How long a lease lasts without renewal. Default: 15000. */
  readonly leaseMs?: number | undefined
  /** Default: a third of the lease. */
  readonly heartbeatMs?: number | undefined
  /** Servers by shard id, where a new topology may name more shards than the first. Default: those of the first. */
  readonly knownShards?: readonly TopologyShard[] | undefined
  readonly clock?: Clock | undefined
  readonly telemetry?: Telemetry | undefined
}

/** Makes all new work use `next`. `drained` resolves when no work of an older topology is left. */
export type TopologySwap = (next: Topology) => Promise<{ readonly drained: Promise<void> }>

interface Follower {
  readonly swap: TopologySwap
  epoch: number
}

/**
 * This process's leases on the current epoch, one on each shard. Given to a router, or to a pool as its gate, nothing is
 * sent to a shard whose lease is over.
 * @example
 * const lease = await store.hold(await store.read(topology.shards))
 * const router = createShardRouter({ schema, topology: lease.topology, lease })
 */
export class TopologyLease implements TopologyGate {
  readonly #shards = new Map<string, ShardLease>()
  readonly #known: readonly TopologyShard[]
  readonly #settings: Omit<ShardLeaseSettings, 'epoch'>
  readonly #inUse = new Map<number, number>()
  readonly #followers = new Set<Follower>()
  #topology: Topology
  #latest: StoredTopology | undefined
  #changing = false
  /** No work of an epoch before this one may begin. */
  #over = 0
  #released = false

  private constructor(fleet: Fleet, topology: Topology, options: HoldOptions) {
    const leaseMs = options.leaseMs ?? 15_000
    this.#settings = {
      topologyId: fleet.topologyId,
      holder: randomUUID(),
      description: `${hostname()} process ${process.pid}`,
      leaseMs,
      heartbeatMs: options.heartbeatMs ?? leaseMs / 3,
      clock: options.clock ?? systemClock,
      telemetry: options.telemetry ?? noTelemetry,
      saw: (stored) => this.#saw(stored),
    }
    this.#topology = topology
    this.#known = options.knownShards ?? topology.shards
    for (const shard of fleet.shards) this.#shards.set(shard.id, this.#leaseOn(shard))
  }

  /** Resolves when every shard was asked once; a shard that did not answer is tried on, and refused until it does. */
  static async take(fleet: Fleet, topology: Topology, options: HoldOptions): Promise<TopologyLease> {
    const lease = new TopologyLease(fleet, topology, options)
    await Promise.all([...lease.#shards.values()].map((shard) => shard.start()))
    return lease
  }

  /** What new work uses. */
  get topology(): Topology {
    return this.#topology
  }

  get epoch(): number {
    return this.#topology.epoch
  }

  check(shard: string, sent = false): void {
    const lease = this.#shards.get(shard)
    if (lease?.valid === true) return
    const { epoch } = this
    const over = `The lease on epoch ${epoch} at shard '${shard}' is over${lease?.reason ?? ''}.`
    const message = sent ? `${over} The statement was sent before: it may have been done, or have come too late.` : over
    throw topologyStoreError('TOPOLOGY_STALE', message, { shard, epoch, sent })
  }

  enter(epoch: number): () => void {
    if (epoch < this.#over) {
      const message = `Epoch ${epoch} is over in this process; the current one is ${this.epoch}.`
      throw topologyStoreError('TOPOLOGY_STALE', message, { epoch, current: this.epoch, sent: false })
    }
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

  /**
   * Calls `swap` with each later topology that is published, also with one that was published before, one after the other.
   * The leases follow when the last work of older ones is over. A swap that fails is tried again with the heartbeat; until
   * it succeeds, this process counts as one that uses the old topology. A router that was given the lease calls this, and
   * what is returned when it is closed.
   * @example
   * lease.follow(async (next) => {
   *   const { pool: swapped, drained } = pool.replaceTopology(next)
   *   pool = swapped
   *   return { drained }
   * })
   */
  follow(swap: TopologySwap): () => void {
    const follower: Follower = { swap, epoch: this.epoch }
    this.#followers.add(follower)
    void this.#change()
    return () => this.#followers.delete(follower)
  }

  /** Asks every shard now, without waiting for the heartbeat. */
  async renew(): Promise<void> {
    await Promise.all([...this.#shards.values()].map((shard) => shard.renew()))
  }

  /** Gives the leases back: whoever changes the topology does not wait for this process any more. Idempotent. */
  async release(): Promise<void> {
    this.#released = true
    await Promise.all([...this.#shards.values()].map((shard) => shard.release()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  /** On a shard that came later no work of an older epoch was ever done. */
  #leaseOn(shard: FleetShard, since = 0): ShardLease {
    const epoch = () => {
      // Whoever changes the topology does not wait for older work from here on.
      this.#over = this.#oldestInUse()
      return Math.max(since, this.#over)
    }
    const replicas = this.#known.find(({ id }) => id === shard.id)?.replicas ?? []
    return new ShardLease(whereverPrimary(shard, replicas, this.#settings.topologyId), { ...this.#settings, epoch })
  }

  #oldestInUse(): number {
    return Math.min(this.epoch, ...this.#inUse.keys())
  }

  #saw(stored: StoredTopology): void {
    if (stored.epoch <= (this.#latest?.epoch ?? this.epoch)) {
      if (this.#latest !== undefined) void this.#change()
      return
    }
    this.#latest = stored
    void this.#change()
  }

  async #change(): Promise<void> {
    if (this.#changing || this.#released) return
    this.#changing = true
    try {
      while (this.#followers.size > 0 && this.#latest !== undefined && this.#latest.epoch > this.epoch) {
        await this.#moveOn(fromStored(this.#latest, this.#known))
      }
    } catch (error) {
      const epoch = this.#latest?.epoch ?? this.epoch
      const message = `epoch ${epoch} cannot be followed: ${(error as Error).message}`
      this.#settings.telemetry.log('error', message, { epoch })
    } finally {
      this.#changing = false
    }
  }

  async #moveOn(next: Topology): Promise<void> {
    await this.#leaseNewShards(next)
    for (const follower of this.#followers) {
      if (follower.epoch < next.epoch) await this.#swap(follower, next)
    }
    this.#topology = next
    await this.#settle()
  }

  async #swap(follower: Follower, next: Topology): Promise<void> {
    const leave = this.enter(this.epoch)
    try {
      const { drained } = await follower.swap(next)
      follower.epoch = next.epoch
      void this.#leaveWhen(drained, leave)
    } catch (error) {
      leave()
      throw error
    }
  }

  /** Work that failed to end in order is over too. */
  async #leaveWhen(drained: Promise<void>, leave: () => void): Promise<void> {
    try {
      await drained.finally(leave)
    } catch (error) {
      this.#warn('an older topology did not end in order', error)
    }
    await this.#settle().catch((error: unknown) => this.#warn('the leases did not follow', error))
  }

  #warn(what: string, error: unknown): void {
    this.#settings.telemetry.log('warn', `${what}: ${(error as Error).message}`, { epoch: this.epoch })
  }

  /** The leases follow what is in use. */
  async #settle(): Promise<void> {
    this.#over = this.#oldestInUse()
    await this.renew()
    if (this.#over < this.epoch) return
    const named = new Set(this.#topology.shards.map(({ id }) => id))
    const gone = [...this.#shards].filter(([id]) => !named.has(id))
    for (const [id] of gone) this.#shards.delete(id)
    await Promise.all(gone.map(([, lease]) => lease.release()))
  }

  async #leaseNewShards(next: Topology): Promise<void> {
    const added = directFleet(next).shards.filter(({ id }) => !this.#shards.has(id))
    const leases = added.map((shard) => [shard.id, this.#leaseOn(shard, next.epoch)] as const)
    for (const [id, lease] of leases) this.#shards.set(id, lease)
    await Promise.all(leases.map(([, lease]) => lease.start()))
    if (this.#released) await this.release()
  }
}
