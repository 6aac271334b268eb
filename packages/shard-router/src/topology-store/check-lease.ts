import { type AnyTopology, isCitus } from '@shardwright/core'
import { refuse } from '../plan/refuse.ts'
import type { TopologyLease } from './topology-lease.ts'

/** @throws RoutingError INVALID_OPTIONS */
export function refuseBesideLease(): never {
  refuse(
    'INVALID_OPTIONS',
    'The router follows the topology store, and others would not know of a topology that only it was given.',
    'Publish the topology: store.publish(next), and store.waitUntilUnused(next.epoch) for all processes to follow.',
  )
}

/** The lease is one on the topology that the router was given. @throws RoutingError INVALID_OPTIONS */
export function checkLease(lease: TopologyLease, topology: AnyTopology): void {
  if (isCitus(topology)) {
    refuse(
      'INVALID_OPTIONS',
      'A lease was given, and the shards of a Citus cluster are in its own metadata.',
      'Leave the lease out: the router follows the metadata by itself.',
    )
  }
  if (topology.id === lease.topology.id && topology.epoch === lease.epoch) return
  refuse(
    'INVALID_OPTIONS',
    `The lease is one on topology '${lease.topology.id}' of epoch ${lease.epoch}, and the router's is '${topology.id}' of epoch ${topology.epoch}.`,
    'Pass the topology of the lease: createShardRouter({ schema, topology: lease.topology, lease }).',
  )
}
