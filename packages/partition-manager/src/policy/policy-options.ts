import type { SelectType } from 'kysely'
import type { PartitionInterval, WeekDay } from '../calendar/interval.ts'
import type { PartitionKeyName } from '../keys/partition-key.ts'
import type { ArchiveTarget } from './archive-target.ts'

/** The columns of a table that can be a partition key: times, numbers and texts that are never null. */
export type PartitionKeyColumn<Table> = {
  [Column in keyof Table & string]: SelectType<Table[Column]> extends Date | string | number | bigint ? Column : never
}[keyof Table & string]

type ColumnOf<Table> = keyof Table & string

/** What `definePartitions<Database>()` takes. */
export type PartitionPolicyOptions<Database> = {
  [Table in keyof Database & string]: TablePolicyOptions<Database, Table>
}[keyof Database & string]

export interface TablePolicyOptions<Database, Table extends keyof Database & string> {
  /** The partitioned table as Kysely names it, with its schema where that is not `schema`: `app.transactions`. */
  readonly table: Table
  /** The partition key: the one column of PARTITION BY RANGE. */
  readonly by: PartitionKeyColumn<Database[Table]>
  /** Default `timestamptz`. */
  readonly key?: PartitionKeyName
  readonly every: PartitionInterval
  /** An IANA name. Periods begin where they begin there. Default `UTC`. */
  readonly zone?: string
  /** The first day of a week, default `monday`; only with `every: 'week'`. */
  readonly weekStart?: WeekDay
  /** ISO date on which one of the periods of `N days` begins, default 1970-01-01; only with `N days`. */
  readonly anchor?: string
  /** The schema of the table, default `public`. */
  readonly schema?: string
  /** Periods to hold ready after the current one, default 3. */
  readonly premake?: number
  /** ISO date or time of the first period wanted when there is no partition yet. Default: the current period. */
  readonly from?: string
  /** Creates what is missing between the oldest partition and the current period. Default true. */
  readonly fillGaps?: boolean
  readonly retention?: {
    /** `12 months`, `90 days`, `1 year 6 months`: judged by the upper bound in the catalog and the server's clock. */
    readonly keep: string
    readonly then: 'detach' | 'drop' | { readonly archive: ArchiveTarget }
    /** Partitions that one run may remove, default 12; more need `force`. */
    readonly maxDropsPerRun?: number
  }
  /** `report` (default) says that rows wait in DEFAULT; `repair` moves them to their partitions in batches. */
  readonly defaultRows?: 'report' | 'repair'
  /** Rows moved in one transaction, default 5000. */
  readonly repairBatchRows?: number
  readonly indexes?: readonly IndexPolicyOptions<ColumnOf<Database[Table]>>[]
  /** ANALYZE the parent when its statistics are older: `1 day`. Autovacuum never does. Default: never. */
  readonly analyzeEvery?: string
  /**
   * Where the server has Citus' columnar storage: rewrites partitions that ended so long ago (`3 months`). They can be read,
   * added to and removed, not updated. Default: never.
   */
  readonly columnar?: { readonly after: string }
}

export interface IndexPolicyOptions<Column extends string> {
  readonly name: string
  readonly columns: readonly Column[]
  /** A unique index must contain the partition key. */
  readonly unique?: boolean
  /** Access method, default `btree`. */
  readonly using?: string
  readonly include?: readonly Column[]
  /** Predicate of a partial index, as SQL; never build it from input. */
  readonly where?: string
}
