/** What the router decided about a query, as data; `toString()` reads as text. */
export interface Explanation {
  /** `one` shard, `split` rows of an INSERT, `fan-out` and merge, `broadcast` a write; `none`: no row can match. */
  readonly kind: 'one' | 'split' | 'fan-out' | 'broadcast' | 'none'
  /** Ids of the shards, in the order of the topology. */
  readonly shards: readonly string[]
  /** Why these shards. */
  readonly reason: string
  /** Per use of a table with a shard key: the keys found, and their buckets. */
  readonly keys: readonly ExplainedKeys[]
  /** Parts whose rows are read or written before the rest, in this order. */
  readonly before: readonly ExplainedPart[]
  /** What each shard runs. */
  readonly statements: readonly ShardStatement[]
  /** How partial results become one, step by step; empty for one shard. */
  readonly merge: readonly string[]
  /** With `analyze`: the whole query, as the caller sees it. */
  readonly measured?: Measured
  /** On Citus, where one shard has all rows: the shard of each table. */
  readonly citusShards?: readonly CitusShardName[]
  toString(): string
}

/** A shard as Citus names it. */
export interface CitusShardName {
  readonly table: string
  /** `pg_dist_shard.shardid`. */
  readonly id: number
  /** The table on the node, e.g. `wallets_102008`. */
  readonly name: string
}

/** The keys that the rows of a table can have, and where these are. */
export interface ExplainedKeys {
  readonly table: string
  /** As the query gives them, parameters by their number; or `all`. */
  readonly keys: string
  /** Numbers of the buckets that hold the keys, ascending; `all` when any bucket may. */
  readonly buckets: readonly number[] | 'all'
}

/** A part of the query that runs before the rest. */
export interface ExplainedPart {
  /** A CTE, a subquery, an arm of a set operation, a table. */
  readonly part: string
  readonly statements: readonly ShardStatement[]
  readonly merge: readonly string[]
}

/** What one shard is sent, with its figures. */
export interface ShardStatement {
  readonly shard: string
  readonly sql: string
  /** Rows that the shard's planner expects. Absent with `costs: false`, and where it depends on rows that are read first. */
  readonly estimatedRows?: number
  /** With `analyze`. */
  readonly measured?: Measured
}

/** What a statement gave when it ran. */
export interface Measured {
  /** Rows that came back. */
  readonly rows: number
  /** From sending the statement to its last row. */
  readonly timeMs: number
}
