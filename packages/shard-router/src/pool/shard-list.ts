import type { Topology } from '@shardwright/core'

/** The servers that indexes speak of: the shards of a topology, or the nodes of a cluster in their form. */
export type ShardList = Pick<Topology, 'id' | 'epoch' | 'shards'>
