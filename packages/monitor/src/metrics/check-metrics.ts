import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'
import type { MetricDefinition } from './metric-definition.ts'

const durationMs = z.number().nonnegative()
const limitsShape = z
  .strictObject({
    worse: z.enum(['above', 'below']),
    warning: z.number(),
    critical: z.number(),
    forMs: durationMs,
    clearMs: durationMs,
    hysteresis: z.number().min(0).lt(1),
    graceMs: durationMs,
    remedy: z.string(),
  })
  .refine(({ worse, warning, critical }) => (worse === 'above' ? critical >= warning : critical <= warning), {
    message: 'critical must not be milder than warning',
  })

const shape = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/, 'lower case letters, digits and _'),
  title: z.string().min(1),
  unit: z.enum(['ms', 's', 'ratio', 'bytes', 'bytes/s', '1/s', 'count']),
  area: z.enum(['statements', 'connections', 'replication', 'activity', 'cache', 'io', 'storage', 'keys', 'machine']),
  source: z.enum(['monitor', 'telemetry', 'machine']),
  promql: z.string().min(1),
  limits: limitsShape.optional(),
})

const metricsShape = z
  .array(shape)
  .refine((metrics) => new Set(metrics.map(({ name }) => name)).size === metrics.length, {
    message: 'two metrics have the same name',
  })

/**
 * Metric definitions, checked.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 */
export function checkMetrics(metrics: readonly MetricDefinition[]): readonly MetricDefinition[] {
  return parseOptions('The list of metrics', metricsShape, metrics)
}
