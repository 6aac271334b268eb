/** What the router decided about a query, as data; `toString()` reads as text. */
export interface Explanation {
  /** `one` shard, `split` rows of an INSERT, `fan-out` and merge, `broadcast` a write; `none`: no row can match. */
  readonly kind: 'one' | 'split' | 'fan-out' | 'broadcast' | 'none'
  /** Ids of the shards, in the order of the topology. */
  readonly shards: readonly string[]
  /** Why these shards. */
  readonly reason: string
  /** Per table with a shard key: the keys found, or `all`. */
  readonly keys: readonly { readonly table: string; readonly keys: string }[]
  /** What each shard runs. */
  readonly statements: readonly { readonly shard: string; readonly sql: string }[]
  /** How partial results become one, step by step; empty for one shard. */
  readonly merge: readonly string[]
  toString(): string
}
