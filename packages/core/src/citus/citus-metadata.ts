/** What Citus itself says of its nodes, tables and shards: one immutable value per reading. Made by `readCitusMetadata`. */
export interface CitusMetadata {
  /** The version of the extension, e.g. `13.2-1`. */
  readonly version: string
  readonly nodes: readonly CitusNode[]
  /** Every table that Citus knows, partitions included. */
  readonly tables: readonly CitusTable[]
  /** By `colocationId`. */
  readonly groups: ReadonlyMap<number, ColocationGroup>
  /** By physical names. */
  find(table: string, schema: string): CitusTable | undefined
}

/** A row of `pg_dist_node`. */
export interface CitusNode {
  readonly nodeId: number
  /** 0 is the coordinator's; a primary and its secondaries share one. Placements name groups. */
  readonly groupId: number
  /** `host:port`, as the nodes call one another. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly role: 'primary' | 'secondary'
  readonly cluster: string
  readonly active: boolean
  /** It has the metadata of the whole cluster, up to date: it can plan any query. */
  readonly metadataSynced: boolean
  readonly shouldHaveShards: boolean
}

/** A row of `pg_dist_partition`. */
export interface CitusTable {
  readonly schema: string
  readonly table: string
  /**
   * `distributed`: by the hash of a column; `reference`: a copy on every node; `local`: known to Citus, on the coordinator;
   * `single-shard`: whole on some node, as under schema-based sharding; `other`: append or range distribution.
   */
  readonly kind: 'distributed' | 'reference' | 'local' | 'single-shard' | 'other'
  /** The distribution column, and its type's name; `undefined` without one. */
  readonly column: string | undefined
  readonly columnType: string | undefined
  /** 0: of no group. */
  readonly colocationId: number
  /** `s` streaming (one placement a shard), `t` two-phase commit (reference tables), `c` statement-based. */
  readonly replicationModel: string
  /** A partition of another table. */
  readonly isPartition: boolean
}

/** Tables of one group have the same shards at the same places. */
export interface ColocationGroup {
  readonly colocationId: number
  readonly replicationFactor: number
  /** Ascending by range and without gaps for hash-distributed tables; one without a range otherwise; empty without tables. */
  readonly shards: readonly ColocatedShard[]
}

/** The shards of all tables of a group for one range of hashes. */
export interface ColocatedShard {
  /** Signed 32-bit, both included; `undefined` where there is no hash. */
  readonly min: number | undefined
  readonly max: number | undefined
  /** `groupId` of each active placement. */
  readonly groupIds: readonly number[]
}
