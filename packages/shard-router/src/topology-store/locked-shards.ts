import type { FleetConnection, FleetShard } from '@shardwright/core'
import { topologyStoreError } from './topology-store-error.ts'

const lockTimeoutMs = 30_000
const lockNotAvailable = '55P03'

/**
 * Runs `work` with a connection to each shard, in their order, as the only publisher (or installer) on any of them. Locks are taken in the
 * order of the shards' ids, whatever the order of the topology, and go with their connections.
 * @throws TopologyError TOPOLOGY_CONFLICT when somebody else is at it for half a minute
 */
export async function withLockedShards(
  shards: readonly FleetShard[],
  work: (connections: readonly FleetConnection[]) => Promise<void>,
): Promise<void> {
  const connections = new Map<FleetShard, FleetConnection>()
  try {
    for (const shard of shards.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
      const connection = await shard.connect({ applicationName: 'shardwright topology' })
      connections.set(shard, connection)
      await lock(connection)
    }
    await work(shards.map((shard) => connections.get(shard)!))
  } finally {
    await Promise.all([...connections.values()].map((connection) => connection.release()))
  }
}

async function lock(connection: FleetConnection): Promise<void> {
  try {
    await connection.query(`set lock_timeout = ${lockTimeoutMs}`)
    await connection.query('select pg_catalog.pg_advisory_lock(7233173, 2)')
  } catch (error) {
    if ((error as { code?: unknown }).code !== lockNotAvailable) throw error
    const message = `Somebody else has been changing the topology on shard '${connection.shardId}' for ${lockTimeoutMs / 1_000} s.`
    throw topologyStoreError('TOPOLOGY_CONFLICT', message, { shard: connection.shardId }, error)
  }
}
