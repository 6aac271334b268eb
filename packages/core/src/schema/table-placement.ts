interface PlacedTable {
  /** As in the `Database` type: `wallets`, `app.wallets`, `walletEntries`. */
  readonly name: string
  /** Physical table name, without its schema. */
  readonly table: string
  /** Physical schema name. */
  readonly schema: string
}

/** A table spread over the shards by its key. */
export interface ShardedTable extends PlacedTable {
  readonly kind: 'sharded'
  /** Physical key column. */
  readonly key: string
  /** The key column as in the `Database` type. */
  readonly keyName: string
  readonly family: string
  /** Keyless reads may fan out without being asked to. */
  readonly fanOut: boolean
}

/** A table with a full copy on every shard. */
export interface ReferenceTable extends PlacedTable {
  readonly kind: 'reference'
}

/** A table that is on one named shard. */
export interface SingleTable extends PlacedTable {
  readonly kind: 'single'
  readonly shard: string
}

/** A table and where it lives. */
export type TablePlacement = ShardedTable | ReferenceTable | SingleTable
