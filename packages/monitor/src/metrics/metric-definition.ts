import type { Limits } from './limits.ts'

export type MetricUnit = 'ms' | 's' | 'ratio' | 'bytes' | 'bytes/s' | '1/s' | 'count'

/**
 * Who measures it: `monitor` exports it as the gauge `shardwright_monitor_<name>`; of `telemetry` the processes have
 * histograms and counters, which Prometheus puts together; `machine` comes from node_exporter, and from the monitor too
 * where the server lets it look or the operator has stated sizes.
 */
export type MetricSource = 'monitor' | 'telemetry' | 'machine'

/** What the metrics of a dashboard's row have in common. */
export type MetricArea =
  | 'statements'
  | 'connections'
  | 'replication'
  | 'activity'
  | 'cache'
  | 'io'
  | 'storage'
  | 'keys'
  | 'machine'

/** What a metric is and when it is bad. Thresholds, Prometheus rules and the dashboard are made from it. */
export interface MetricDefinition {
  /** e.g. `connections_ratio`. */
  readonly name: string
  readonly title: string
  readonly unit: MetricUnit
  readonly area: MetricArea
  readonly source: MetricSource
  /** The value in PromQL, over what the telemetry adapter exports or, for the machine, what node_exporter does. */
  readonly promql: string
  /** Without them it is shown and never alarms. */
  readonly limits?: Limits | undefined
}
