export type MetricUnit = 'ms' | 's' | 'ratio' | 'bytes' | 'count'

/** What a metric is and when it is bad. Thresholds, Prometheus rules and the dashboard are made from it. */
export interface MetricDefinition {
  /** e.g. `connections_ratio`. */
  readonly name: string
  readonly title: string
  readonly unit: MetricUnit
  /** `above`: high values are bad. */
  readonly worse: 'above' | 'below'
  readonly warning: number
  readonly critical: number
  /** How long a value must be bad before it is told. */
  readonly forMs: number
  /** How long it must be good again, and by `hysteresis` better than the threshold, before that is told. */
  readonly clearMs: number
  /** Share of the threshold: 0.1 clears an alert at 100 ms only below 90 ms. */
  readonly hysteresis: number
  /** Nothing is told so long after a subject appears, or appears again: a replica that restarts is behind at first. */
  readonly graceMs: number
  /** The value in PromQL, over what the telemetry adapter exports or, for the machine, what node_exporter does. */
  readonly promql: string
  /** What to do when it is bad, in one sentence. */
  readonly remedy: string
}
