import type { Limits } from '../metrics/limits.ts'
import type { MetricDefinition } from '../metrics/metric-definition.ts'

/** A metric that can be bad. */
export type LimitedMetric = MetricDefinition & { readonly limits: Limits }

/** Those of the metrics that have limits. */
export function limitedMetrics(metrics: readonly MetricDefinition[]): readonly LimitedMetric[] {
  return metrics.filter((metric): metric is LimitedMetric => metric.limits !== undefined)
}
