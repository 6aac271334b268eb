import type { Position } from '../calendar/position.ts'

/** What the catalog of one shard says about one partitioned table. Frozen; `plan` needs nothing else. */
export interface CatalogState {
  readonly shard: string
  /** The server's clock, microseconds since 1970. */
  readonly serverTime: Position
  readonly serverVersion: number
  readonly standby: boolean
  readonly parent: ParentTable
  /** By lower bound; the DEFAULT partition is not among them. */
  readonly partitions: readonly PartitionState[]
  readonly defaultPartition: DefaultPartitionState | undefined
  readonly indexes: readonly ParentIndex[]
  /** Foreign keys of other tables that reference this one. */
  readonly incomingForeignKeys: readonly string[]
  /** What keeps partitions of this table from being columnar: its foreign keys and AFTER ROW triggers. */
  readonly columnarObstacles: readonly string[]
  /** True when the server has Citus' columnar access method. */
  readonly columnar: boolean
  /** Foreign keys of this table. */
  readonly outgoingForeignKeys: readonly string[]
  readonly jobs: readonly PartitionJob[]
  /** Relations of the schema whose names begin like the table's. */
  readonly takenNames: ReadonlySet<string>
  /** When ANALYZE last ran on the parent, microseconds since 1970. */
  readonly analyzedAt: Position | undefined
  /** Of everything above that a plan depends on, but not of sizes and counts. */
  readonly fingerprint: string
}

export interface ParentTable {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly owner: string
  readonly ownedByUs: boolean
  readonly tablespace: string | undefined
  /** Partitions copy `f` (FULL) and `n` (NOTHING). */
  readonly replicaIdentity: string
  /** What its columns have set (statistics targets), as actions of ALTER TABLE; empty when nothing is. */
  readonly columnSettings: string
  /** True when Citus manages the table: one statement on the coordinator changes it on every node. */
  readonly distributed: boolean
  /** Citus' distribution column; undefined for a table that Citus does not hash, or does not know. */
  readonly distributionColumn: string | undefined
}

export interface PartitionState {
  readonly oid: string
  readonly schema: string
  readonly name: string
  /** `undefined` is MINVALUE. */
  readonly lower: Position | undefined
  /** `undefined` is MAXVALUE. */
  readonly upper: Position | undefined
  /** FOR VALUES as the server prints it. */
  readonly bound: string
  readonly detachPending: boolean
  /** A partition that is itself partitioned. */
  readonly partitioned: boolean
  readonly bytes: bigint
  /** `heap`, `columnar`, ... */
  readonly accessMethod: string
  /** The planner's estimate; -1 when never analyzed. */
  readonly estimatedRows: number
  /** Storage parameters as WITH takes them; empty when none is set. */
  readonly options: string
}

export interface DefaultPartitionState {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly rows: bigint
  readonly nullKeys: bigint
  readonly min: Position | undefined
  readonly max: Position | undefined
  /** Rows by period of the policy, for those periods that the policy wants; the rest is `outside`. */
  readonly periods: readonly DefaultRows[]
  readonly outside: bigint
}

export interface DefaultRows {
  readonly from: Position
  readonly to: Position
  readonly rows: bigint
}

export interface ParentIndex {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly valid: boolean
  readonly unique: boolean
  /** The definition after the table's name: `USING btree (...)`. */
  readonly definition: string
  /** Partitions that have no attached index yet; only for invalid indexes. */
  readonly missing: readonly MissingIndex[]
}

export interface MissingIndex {
  readonly partitionSchema: string
  readonly partition: string
  /** What the index on the partition will be called. */
  readonly name: string
  /** What a former run left under that name. */
  readonly leftover: 'none' | 'valid' | 'invalid'
  /** The partition has partitions of its own: its index is built on each of them. */
  readonly partitioned?: boolean
}

export interface PartitionJob {
  readonly id: string
  readonly kind: 'retire' | 'repair'
  readonly child: JobChild | undefined
  readonly detail: JobDetail
}

export interface JobChild {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly attached: boolean
}

/** What a job must remember over a crash. Positions are decimal texts: JSON has no bigint. */
export interface JobDetail {
  readonly lower: string | null
  readonly upper: string | null
  /** `FOR VALUES ...` as the server had it; not each is a whole position. */
  readonly bound?: string
  readonly phase?: 'archive' | 'detach' | 'dispose'
  readonly rows?: string
  readonly checksum?: string
}
