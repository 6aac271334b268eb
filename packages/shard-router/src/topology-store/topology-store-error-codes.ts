/** The stable codes of the topology store, with what they mean and what to do. */
export const topologyStoreErrorCodes = Object.freeze({
  TOPOLOGY_STALE: {
    meaning:
      'This process does not hold a valid lease on the current topology, so that it cannot know where a key lives.',
    remedy:
      'Retry shortly: the lease is renewed by itself once the shard answers. With `details.sent` the lease ended while the statement was under way: look whether a write was done.',
  },
  TOPOLOGY_NOT_PUBLISHED: {
    meaning: 'A shard holds no topology of this id.',
    remedy: 'Call install() and publish() once.',
  },
  TOPOLOGY_CONFLICT: {
    meaning:
      'Somebody else published another topology for the same epoch, or a later one; or it is not the next epoch of the current one.',
    remedy: 'Read the current topology and derive the next epoch from it: its id, hash and number of buckets stay.',
  },
  TOPOLOGY_DAMAGED: {
    meaning:
      'What a shard holds as the topology is none: somebody else wrote there, or another version of the library.',
    remedy: "Look at shardwright.topology on the shards; publish the next epoch once that shard's row is gone.",
  },
  TOPOLOGY_SHARD_UNKNOWN: {
    meaning: 'The stored topology names a shard whose servers this process does not know.',
    remedy: 'Add the shard to the configuration of every process before it is published.',
  },
  TOPOLOGY_STILL_IN_USE: {
    meaning: 'Leases or transactions of an older epoch were still there when the time was over.',
    remedy: 'Wait longer, or look at `details` for who holds them.',
  },
} as const)

/** One of the codes of the topology store and its leases. */
export type TopologyStoreErrorCode = keyof typeof topologyStoreErrorCodes
