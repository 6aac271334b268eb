import type { MetricUnit } from '../metrics/metric-definition.ts'

/** `unknown`: there is no data. */
export type AlertLevel = 'unknown' | 'ok' | 'warning' | 'critical'

/** A change of level of one subject. */
export interface Alert {
  readonly metric: string
  readonly title: string
  /** A shard, or `shard/replica`. */
  readonly subject: string
  readonly level: AlertLevel
  readonly before: AlertLevel
  readonly value: number | undefined
  readonly unit: MetricUnit
  /** The caller's monotonic clock, milliseconds. */
  readonly atMs: number
  readonly remedy: string
}
