import type { Fleet, FleetConnection, Topology, TopologyShard } from '@shardwright/core'
import { changeChannel, storeTables } from './store-tables.ts'
import { fromStored, readStored, type StoredTopology, toStored } from './stored-topology.ts'
import { type HoldOptions, TopologyLease } from './topology-lease.ts'
import { topologyStoreError } from './topology-store-error.ts'
import { type WaitOptions, waitUntilUnused } from './wait-until-unused.ts'

interface TopologyRow {
  readonly epoch: string
  readonly document: unknown
}

const selectTopology = 'select epoch::text as epoch, document from shardwright.topology where id = $1'

/**
 * The current epoch of a topology, kept on the shards themselves.
 * @example
 * const store = new TopologyStore(router.fleet)
 * await store.install()
 * await store.publish(next)
 * await store.waitUntilUnused(next.epoch) // now no process routes by the old map
 */
export class TopologyStore {
  readonly #fleet: Fleet

  constructor(fleet: Fleet) {
    this.#fleet = fleet
  }

  /** Creates the store's tables on each shard. Safe to repeat. */
  async install(): Promise<void> {
    for (const shard of this.#fleet.shards) {
      await using connection = await shard.connect({ applicationName: 'shardwright topology' })
      await withLock(connection, () => connection.script(storeTables))
    }
  }

  /**
   * The latest epoch that any shard knows. A publication that stopped half-way counts: some process may follow it.
   * @throws TopologyError TOPOLOGY_NOT_PUBLISHED, TOPOLOGY_SHARD_UNKNOWN
   */
  async read(known: readonly TopologyShard[]): Promise<Topology> {
    let latest: StoredTopology | undefined
    for (const shard of this.#fleet.shards) {
      await using connection = await shard.connect({ applicationName: 'shardwright topology' })
      const stored = await this.#storedOn(connection)
      if (stored !== undefined && stored.epoch > (latest?.epoch ?? -1)) latest = stored
    }
    if (latest !== undefined) return fromStored(latest, known)
    throw topologyStoreError('TOPOLOGY_NOT_PUBLISHED', `No shard holds the topology '${this.#fleet.topologyId}'.`)
  }

  /**
   * Writes a topology's next epoch to every shard, one after the other. Repeating it finishes one that stopped half-way;
   * another topology of the same epoch is refused.
   * @throws TopologyError TOPOLOGY_CONFLICT
   */
  async publish(next: Topology): Promise<void> {
    const document = toStored(next)
    for (const shard of this.#fleet.shards) {
      await using connection = await shard.connect({ applicationName: 'shardwright topology' })
      await withLock(connection, () => this.#publishOn(connection, document))
    }
  }

  /** Waits until no lease and no transaction of an epoch before `epoch` is left on any shard. */
  waitUntilUnused(epoch: number, options: WaitOptions = {}): Promise<void> {
    return waitUntilUnused(this.#fleet, epoch, options)
  }

  /** Takes a lease on every shard and keeps it until `release`. */
  hold(topology: Topology, options: HoldOptions = {}): Promise<TopologyLease> {
    return TopologyLease.take(this.#fleet, topology, options)
  }

  async #publishOn(connection: FleetConnection, next: StoredTopology): Promise<void> {
    const current = await this.#storedOn(connection)
    if (current !== undefined && current.epoch >= next.epoch) {
      if (current.epoch === next.epoch && JSON.stringify(current) === JSON.stringify(next)) return
      throw topologyStoreError(
        'TOPOLOGY_CONFLICT',
        `Shard '${connection.shardId}' is at epoch ${current.epoch} already; epoch ${next.epoch} cannot be published.`,
        { shard: connection.shardId, current: current.epoch, next: next.epoch },
      )
    }
    await connection.query(
      `insert into shardwright.topology (id, epoch, document) values ($1, $2, $3::jsonb)
       on conflict (id) do update set epoch = excluded.epoch, document = excluded.document, published_at = clock_timestamp()`,
      [this.#fleet.topologyId, next.epoch, JSON.stringify(next)],
    )
    await connection.query('select pg_catalog.pg_notify($1, $2)', [changeChannel, this.#fleet.topologyId])
  }

  async #storedOn(connection: FleetConnection): Promise<StoredTopology | undefined> {
    const { rows } = await connection.query<TopologyRow>(selectTopology, [this.#fleet.topologyId])
    const [row] = rows
    return row === undefined ? undefined : readStored(row.document)
  }
}

// One publisher (or installer) at a time on each shard; the lock goes with the connection.
async function withLock(connection: FleetConnection, work: () => Promise<void>): Promise<void> {
  await connection.query('select pg_catalog.pg_advisory_lock(7233173, 2)')
  try {
    await work()
  } finally {
    await connection.query('select pg_catalog.pg_advisory_unlock(7233173, 2)')
  }
}
