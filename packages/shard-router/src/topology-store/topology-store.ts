import type { Fleet, FleetConnection, FleetShard, Topology, TopologyShard } from '@shardwright/core'
import { directFleet } from '../pool/direct-fleet.ts'
import { withLockedShards } from './locked-shards.ts'
import { changeChannel, forgetLongExpired, storeTables } from './store-tables.ts'
import { fromStored, readStored, type StoredTopology, toStored } from './stored-topology.ts'
import { type HoldOptions, TopologyLease } from './topology-lease.ts'
import { topologyStoreError } from './topology-store-error.ts'
import { type WaitOptions, waitUntilUnused } from './wait-until-unused.ts'

interface TopologyRow {
  readonly epoch: string
  readonly document: unknown
}

const selectTopology = 'select epoch::text as epoch, document from shardwright.topology where id = $1'

const publishTopology = `
insert into shardwright.topology (id, epoch, document) values ($1, $2, $3::jsonb)
on conflict (id) do update set epoch = excluded.epoch, document = excluded.document, published_at = clock_timestamp()`

/**
 * The current epoch of a topology, kept on the shards themselves.
 * @example
 * const store = new TopologyStore(router.fleet)
 * await store.install()
 * await store.publish(next)
 * await store.waitUntilUnused(next.epoch) // now no process routes by the old map
 * @example
 * await using lease = await store.hold(await store.read(topology.shards)) // in each service
 * await using router = createShardRouter({ schema, topology: lease.topology, lease })
 */
export class TopologyStore {
  readonly #fleet: Fleet

  constructor(fleet: Fleet) {
    this.#fleet = fleet
  }

  /** Creates the store's tables on each shard. Safe to repeat. */
  async install(): Promise<void> {
    await withLockedShards(this.#fleet.shards, async (connections) => {
      for (const connection of connections) await connection.script(storeTables)
    })
  }

  /**
   * The latest epoch that any shard knows. A publication that stopped half-way counts: some process may follow it.
   * A shard that cannot be reached is not asked: whoever knows an older epoch than it has gets no lease there.
   * @throws TopologyError TOPOLOGY_NOT_PUBLISHED, TOPOLOGY_SHARD_UNKNOWN, TOPOLOGY_DAMAGED; ConnectionError when no shard can be reached
   */
  async read(known: readonly TopologyShard[]): Promise<Topology> {
    const answers = await Promise.allSettled(this.#fleet.shards.map((shard) => this.#readFrom(shard)))
    const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
    const serious = failures.find((error) => error?.code !== 'SHARD_UNREACHABLE')
    if (serious !== undefined || failures.length === answers.length) throw serious ?? failures[0]
    const stored = answers.flatMap((answer) => (answer.status === 'fulfilled' && answer.value ? [answer.value] : []))
    const latest = stored.toSorted((a, b) => b.epoch - a.epoch)[0]
    if (latest !== undefined) return fromStored(latest, known)
    throw topologyStoreError('TOPOLOGY_NOT_PUBLISHED', `No shard holds the topology '${this.#fleet.topologyId}'.`)
  }

  /**
   * Writes a topology's next epoch to every shard, one after the other: those that are new in it first. Repeating it
   * finishes one that stopped half-way; another topology of the same epoch, of another id, hash or number of buckets is
   * refused before anything is written.
   * @throws TopologyError TOPOLOGY_CONFLICT; ConnectionError SHARD_UNREACHABLE
   */
  async publish(next: Topology): Promise<void> {
    const { topologyId } = this.#fleet
    if (next.id !== topologyId) {
      const message = `The fleet is that of topology '${topologyId}', and what is to be published is '${next.id}'.`
      throw topologyStoreError('TOPOLOGY_CONFLICT', message, { current: topologyId, next: next.id })
    }
    const document = toStored(next)
    const present = new Set(this.#fleet.shards.map(({ id }) => id))
    const added = directFleet(next).shards.filter(({ id }) => !present.has(id))
    await withLockedShards([...added, ...this.#fleet.shards], async (connections) => {
      const behind: FleetConnection[] = []
      for (const connection of connections) {
        if (!(await isInstalled(connection))) await connection.script(storeTables)
        if (await this.#isBehind(connection, document)) behind.push(connection)
      }
      for (const connection of behind) await this.#publishOn(connection, document)
    })
  }

  /** Waits until no lease and no transaction of an epoch before `epoch` is left on any shard. */
  waitUntilUnused(epoch: number, options: WaitOptions = {}): Promise<void> {
    return waitUntilUnused(this.#fleet, epoch, options)
  }

  /** Takes a lease on every shard and keeps it until `release`. */
  hold(topology: Topology, options: HoldOptions = {}): Promise<TopologyLease> {
    return TopologyLease.take(this.#fleet, topology, options)
  }

  async #readFrom(shard: FleetShard): Promise<StoredTopology | undefined> {
    await using connection = await shard.connect({ applicationName: 'shardwright topology' })
    return (await isInstalled(connection)) ? await this.#storedOn(connection) : undefined
  }

  async #isBehind(connection: FleetConnection, next: StoredTopology): Promise<boolean> {
    const current = await this.#storedOn(connection)
    if (current === undefined) return true
    refuseOtherHash(connection.shardId, current, next)
    if (current.epoch < next.epoch) return true
    if (current.epoch === next.epoch && JSON.stringify(current) === JSON.stringify(next)) return false
    throw topologyStoreError(
      'TOPOLOGY_CONFLICT',
      `Shard '${connection.shardId}' is at epoch ${current.epoch} already; epoch ${next.epoch} cannot be published.`,
      { shard: connection.shardId, current: current.epoch, next: next.epoch },
    )
  }

  async #publishOn(connection: FleetConnection, next: StoredTopology): Promise<void> {
    const { topologyId } = this.#fleet
    await connection.query(forgetLongExpired, [topologyId])
    await connection.query(publishTopology, [topologyId, next.epoch, JSON.stringify(next)])
    await connection.query('select pg_catalog.pg_notify($1, $2)', [changeChannel, topologyId])
  }

  async #storedOn(connection: FleetConnection): Promise<StoredTopology | undefined> {
    const { rows } = await connection.query<TopologyRow>(selectTopology, [this.#fleet.topologyId])
    const [row] = rows
    return row === undefined ? undefined : readStored(row.document)
  }
}

/** Every process would refuse such an epoch, and serve nothing until a later one: its leases are on the one before. */
function refuseOtherHash(shard: string, current: StoredTopology, next: StoredTopology): void {
  if (current.hash === next.hash && current.buckets === next.buckets) return
  const [old, wanted] = [current, next].map(({ hash, buckets }) => `${buckets} buckets by ${hash} hash`)
  throw topologyStoreError(
    'TOPOLOGY_CONFLICT',
    `Shard '${shard}' keeps its rows in ${old}; epoch ${next.epoch} with ${wanted} cannot be published: hash and number of buckets never change.`,
    { shard, current: current.epoch, next: next.epoch },
  )
}

async function isInstalled(connection: FleetConnection): Promise<boolean> {
  const { rows } = await connection.query<{ found: boolean }>(
    "select pg_catalog.to_regclass('shardwright.topology') is not null as found",
  )
  return rows[0]?.found === true
}
