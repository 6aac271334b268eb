import { TopologyError } from '@shardwright/core'

/** A topology that cannot take the place of the current one. */
export function topologyConflict(fault: string, hint: string): TopologyError {
  return new TopologyError({
    code: 'TOPOLOGY_CONFLICT',
    message: `The topology cannot replace the current one: ${fault}.`,
    hint,
  })
}
