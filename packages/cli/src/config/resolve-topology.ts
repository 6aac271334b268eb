import { assertTopologyFits, defineTopology, type ServerInput, type Topology } from '@shardwright/core'
import type { ConfigServer, ShardwrightConfig } from './config.ts'
import { readVariable } from './env.ts'

/**
 * The topology with the URLs of the environment.
 *
 * @throws CliError ENVIRONMENT_VARIABLE_MISSING; TopologyError
 */
export function resolveTopology(config: ShardwrightConfig): Topology {
  const topology = defineTopology({
    ...config.topology,
    shards: config.topology.shards.map(({ id, primary, replicas }) => ({
      id,
      primary: resolveServer(primary),
      replicas: (replicas ?? []).map(resolveServer),
    })),
  })
  assertTopologyFits(config.schema, topology)
  return topology
}

function resolveServer(server: ConfigServer): ServerInput {
  if (typeof server === 'string' || 'env' in server) return readVariable(server)
  return {
    url: readVariable(server.url),
    ...(server.directUrl && { directUrl: readVariable(server.directUrl) }),
    ...(server.pooler && { pooler: server.pooler }),
  }
}
