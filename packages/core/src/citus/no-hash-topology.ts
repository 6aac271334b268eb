import { TopologyError } from '../errors/topology-error.ts'
import type { CitusTopology } from './citus-topology.ts'

/** What is thrown where buckets are asked of a Citus cluster. */
export function noHashTopology({ coordinator }: CitusTopology): TopologyError {
  return new TopologyError({
    code: 'NO_HASH_TOPOLOGY',
    message: `The router runs on the Citus cluster of ${coordinator.address}, which has no buckets and no bucket map.`,
    hint: 'Read its nodes and shards with readCitusMetadata, or look at router.engine first.',
  })
}
