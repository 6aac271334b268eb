import type { Temporal } from 'temporal-polyfill'
import type { Calendar } from '../calendar/calendar.ts'
import type { Position } from '../calendar/position.ts'
import type { PartitionKey } from '../keys/partition-key.ts'
import type { ArchiveTarget } from './archive-target.ts'

/** A resolved policy: frozen, checked, with every default filled in. Made by `definePartitions`. */
export interface PartitionPolicy {
  readonly schema: string
  readonly table: string
  /** The partition key's column. */
  readonly by: string
  readonly key: PartitionKey
  readonly zone: string
  /** In the zone for instants; in UTC, on the wall's axis, for wall-time keys. */
  readonly calendar: Calendar
  /** Periods to hold ready after the current one. */
  readonly premake: number
  /** The first period wanted when the table has no partition yet. */
  readonly from: Position | undefined
  readonly fillGaps: boolean
  readonly retention: RetentionPolicy | undefined
  readonly defaultRows: 'report' | 'repair'
  readonly repairBatchRows: number
  readonly indexes: readonly IndexPolicy[]
  readonly analyzeEvery: Temporal.Duration | undefined
  readonly columnar: { readonly after: Temporal.Duration } | undefined
}

export interface RetentionPolicy {
  readonly keep: Temporal.Duration
  readonly then: RetentionThen
  readonly maxDropsPerRun: number
}

/** What happens to a partition that is older than `keep`. */
export type RetentionThen = 'detach' | 'drop' | { readonly archive: ArchiveTarget }

/** An index that every partition carries; built concurrently on those that lack it. */
export interface IndexPolicy {
  readonly name: string
  readonly columns: readonly string[]
  readonly unique: boolean
  readonly using: string
  readonly include: readonly string[]
  /** SQL of a partial index's predicate, from the programmer, never from users. */
  readonly where: string | undefined
}
