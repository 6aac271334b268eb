/** What decides where a system stands; undefined is not known, and asks for nothing. */
export interface SystemFacts {
  readonly shards: number
  readonly replicas: number
  readonly pooler: boolean
  readonly citus: boolean
  readonly ownCache: boolean | undefined
  /** Tables that are partitioned. */
  readonly partitionedTables: number
  /** Large tables that are read whole, foreign keys without an index. */
  readonly missingIndexes: number
  /** Of the fullest server, 0 to 1. */
  readonly connectionsRatio: number | undefined
  /** Of the busiest server, 0 to 1. */
  readonly cpuRatio: number | undefined
  /** Rows read to all rows touched, 0 to 1. */
  readonly readRatio: number | undefined
  /** PostgreSQL's buffers, of the worst server. */
  readonly cacheHitRatio: number | undefined
  /** The largest table without partitions, on any shard. */
  readonly largestTable: { readonly name: string; readonly bytes: number } | undefined
  /** The fullest shard. */
  readonly largestShardBytes: number | undefined
  /** Statements over several shards to all. */
  readonly scatterRatio: number | undefined
}
