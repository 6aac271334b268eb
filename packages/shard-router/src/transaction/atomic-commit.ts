import type { Commit } from '@shardwright/core'

/** What `commit` of a transaction across shards tells. */
export interface AtomicCommit extends Commit {
  /** Shards that could not be reached after the decision: committed there too, visible when recovery gets through. */
  readonly unsettled: readonly string[]
}
