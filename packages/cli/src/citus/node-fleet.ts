import { type CitusTopology, citusNodeServer, createFleet, type Fleet, readCitusMetadata } from '@shardwright/core'
import { Client } from 'pg'

/** Every node of a cluster as a shard, for what is measured on each server: the coordinator first, by that name. */
export async function nodeFleet(topology: CitusTopology, coordinator: Fleet): Promise<Fleet> {
  await using connection = await coordinator.shards[0]!.connect({ applicationName: 'shardwright-citus' })
  const { nodes } = await readCitusMetadata(connection)
  const workers = nodes.filter((node) => node.groupId !== 0 && node.role === 'primary' && node.active)
  return createFleet({
    topologyId: topology.id,
    shards: [
      { id: 'coordinator', url: topology.coordinator.directUrl },
      ...workers.map((node) => ({ id: node.name, url: citusNodeServer(topology, node).directUrl })),
    ],
    Client,
  })
}
