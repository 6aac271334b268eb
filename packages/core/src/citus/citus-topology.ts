import type { Topology, TopologyServer } from '../topology/topology.ts'
import type { CitusTopologyInput } from './citus-topology-input.ts'

/** A Citus cluster: where shards and nodes are is in its own metadata. An immutable value, made by `defineTopology`. */
export interface CitusTopology {
  readonly engine: 'citus'
  readonly id: string
  readonly coordinator: TopologyServer
  /** By `host:port` in `pg_dist_node`: nodes that are reached otherwise than by that name. */
  readonly nodes: ReadonlyMap<string, TopologyServer>
  readonly queryFrom: 'coordinator' | 'any'
  readonly shardReads: boolean
  readonly refreshMs: number
}

/** Either engine. */
export type AnyTopology = Topology | CitusTopology

/**
 * Whether a topology, or the input for one, is a Citus cluster.
 * @example
 * if (isCitus(topology)) console.log(topology.coordinator.address)
 */
export function isCitus<T extends object>(topology: T): topology is Extract<T, CitusTopology | CitusTopologyInput> {
  // Input from JavaScript may be anything.
  return (topology as { engine?: unknown } | null | undefined)?.engine === 'citus'
}
