import { createFleet, type FleetConnection, type FleetShard, type TopologyServer } from '@shardwright/core'
import { Client } from 'pg'

/** The shard by its own address, or by that of a replica that has become its primary. */
export function whereverPrimary(
  shard: FleetShard,
  replicas: readonly TopologyServer[],
  topologyId: string,
): FleetShard {
  const others = replicas.flatMap(
    ({ directUrl }) =>
      createFleet({ topologyId, shards: [{ id: shard.id, url: directUrl }], Client: Client as never }).shards,
  )
  if (others.length === 0) return shard
  return Object.freeze({
    id: shard.id,
    address: shard.address,
    connect: async (options) => {
      const outcomes: unknown[] = []
      for (const candidate of [shard, ...others]) {
        try {
          const connection = await candidate.connect(options)
          if (await isPrimary(connection)) return connection
        } catch (error) {
          options?.signal?.throwIfAborted()
          outcomes.push(error)
        }
      }
      throw outcomes[0] ?? new Error('only standbys answer')
    },
  } satisfies FleetShard)
}

async function isPrimary(connection: FleetConnection): Promise<boolean> {
  let primary = false
  try {
    const { rows } = await connection.query<{ primary: boolean }>('select not pg_is_in_recovery() as primary')
    primary = rows[0]?.primary === true
  } finally {
    if (!primary) await connection.release()
  }
  return primary
}
