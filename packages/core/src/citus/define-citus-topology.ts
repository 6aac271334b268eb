import { z } from 'zod'
import { TopologyError } from '../errors/topology-error.ts'
import { FrozenMap } from '../schema/frozen-map.ts'
import { resolveServer } from '../topology/resolve-server.ts'
import type { CitusTopology } from './citus-topology.ts'
import type { CitusTopologyInput } from './citus-topology-input.ts'
import { citusTopologyShape } from './citus-topology-shape.ts'

/** @throws TopologyError INVALID_TOPOLOGY, INVALID_SHARD_URL */
export function defineCitusTopology(input: CitusTopologyInput): CitusTopology {
  const parsed = citusTopologyShape.safeParse(input)
  if (!parsed.success) {
    throw new TopologyError({
      code: 'INVALID_TOPOLOGY',
      message: `The topology is not usable: ${z.prettifyError(parsed.error)}`,
      hint: "The least is { engine: 'citus', coordinator: 'postgres://...' }.",
      details: { fields: parsed.error.issues.map((issue) => issue.path.join('.')) },
    })
  }
  const { engine, id, coordinator, nodes, queryFrom, shardReads, refreshMs } = parsed.data
  return Object.freeze({
    engine,
    id,
    coordinator: resolveServer(coordinator, 'the coordinator'),
    nodes: new FrozenMap(
      Object.entries(nodes).map(([name, server]) => [name, resolveServer(server, `node '${name}'`)] as const),
    ),
    queryFrom,
    shardReads,
    refreshMs,
  })
}
