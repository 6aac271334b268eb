import {
  type AnyTopology,
  assertTopologyFits,
  type CitusTopology,
  defineTopology,
  type ServerInput,
  type Topology,
} from '@shardwright/core'
import type { ConfigCitusTopology, ConfigServer, ConfigTopology, ShardwrightConfig } from './config.ts'
import { readVariable } from './env.ts'

/**
 * The topology with the URLs of the environment.
 *
 * @throws CliError ENVIRONMENT_VARIABLE_MISSING; TopologyError
 */
export function resolveTopology(config: ShardwrightConfig & { readonly topology: ConfigTopology }): Topology
export function resolveTopology(config: ShardwrightConfig): AnyTopology
export function resolveTopology({ topology: input, schema }: ShardwrightConfig): AnyTopology {
  if ('coordinator' in input) return resolveCitus(input)
  const topology = defineTopology({
    ...input,
    shards: input.shards.map(({ id, primary, replicas }) => ({
      id,
      primary: resolveServer(primary),
      replicas: (replicas ?? []).map(resolveServer),
    })),
  })
  assertTopologyFits(schema, topology)
  return topology
}

function resolveCitus(input: ConfigCitusTopology): CitusTopology {
  const nodes = Object.entries(input.nodes ?? {}).map(([name, server]) => [name, resolveServer(server)] as const)
  return defineTopology({ ...input, coordinator: resolveServer(input.coordinator), nodes: Object.fromEntries(nodes) })
}

function resolveServer(server: ConfigServer): ServerInput {
  if (typeof server === 'string' || 'env' in server) return readVariable(server)
  return {
    url: readVariable(server.url),
    ...(server.directUrl && { directUrl: readVariable(server.directUrl) }),
    ...(server.pooler && { pooler: server.pooler }),
  }
}
