/**
 * Where the rows of a query part are: `everywhere` the same on each shard; `sharded`, so that running it on each shard
 * and putting the rows together is the whole; or `whole`: only computed from all shards together.
 */
export type Spread = 'everywhere' | 'sharded' | 'whole'

/** What stands against running a query level shard by shard. */
export interface Obstacle {
  readonly code: 'CROSS_SHARD_JOIN' | 'CROSS_SHARD_SUBQUERY' | 'UNSUPPORTED_MERGE'
  readonly reason: string
}
