import { checkMetrics } from '../metrics/check-metrics.ts'
import { defaultMetrics } from '../metrics/default-metrics.ts'
import type { MetricDefinition } from '../metrics/metric-definition.ts'
import { type LimitedMetric, limitedMetrics } from '../threshold/limited-metric.ts'

export interface PrometheusRulesOptions {
  /** Default: `defaultMetrics`. */
  readonly metrics?: readonly MetricDefinition[] | undefined
}

/**
 * Prometheus alert rules (YAML) for the same thresholds as the monitor's own alerts. Names of series are those of the
 * router's prom-client adapter. Hysteresis is told as `keep_firing_for`, so Prometheus 2.42 or later is needed.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 * @example
 * await writeFile('shardwright.rules.yml', prometheusRules())
 */
export function prometheusRules({ metrics = defaultMetrics }: PrometheusRulesOptions = {}): string {
  const rules = limitedMetrics(checkMetrics(metrics)).flatMap((metric) =>
    levelsOf(metric).map((level) => ruleOf(metric, level)),
  )
  return `groups:\n  - name: shardwright\n    rules:\n${rules.join('')}`
}

type Level = 'warning' | 'critical'

/** One limit for both levels is one rule. */
function levelsOf({ limits: { warning, critical } }: LimitedMetric): readonly Level[] {
  return warning === critical ? ['critical'] : ['warning', 'critical']
}

function ruleOf(metric: LimitedMetric, level: Level): string {
  const { name, title, unit, promql } = metric
  const { worse, forMs, clearMs, graceMs, remedy } = metric.limits
  const compared = `(${promql}) ${worse === 'above' ? '>' : '<'} ${metric.limits[level]}`
  const shown = unit === 'ratio' ? '{{ $value | humanizePercentage }}' : `{{ $value | humanize }} ${unit}`
  const lines = [
    `      - alert: ${quoted(`Shardwright${pascal(name)}${pascal(level)}`)}`,
    `        expr: ${quoted(graceMs > 0 ? `${compared} and ${presentFor(promql, graceMs)}` : compared)}`,
    `        for: ${duration(forMs)}`,
    ...(clearMs > 0 ? [`        keep_firing_for: ${duration(clearMs)}`] : []),
    `        labels:`,
    `          severity: ${level}`,
    `          metric: ${quoted(name)}`,
    `        annotations:`,
    `          summary: ${quoted(`${title}: {{ $labels.shard }}{{ $labels.instance }} {{ $labels.replica }}{{ $labels.volume }}{{ $labels.mountpoint }} is ${shown}`)}`,
    `          description: ${quoted(remedy)}`,
  ]
  return `${lines.join('\n')}\n`
}

const stepMs = 15_000

/** There all the time of the grace period: what appears, or comes back, is left alone. NaN, which is missing, is no presence. */
function presentFor(promql: string, graceMs: number): string {
  const steps = Math.max(1, Math.floor(graceMs / stepMs))
  return `count_over_time(((${promql}) == (${promql}))[${duration(graceMs)}:${duration(stepMs)}]) >= ${Math.ceil(steps * 0.9)}`
}

/** A JSON text is a YAML text in double quotes. */
function quoted(text: string): string {
  return JSON.stringify(text)
}

function duration(ms: number): string {
  return Number.isInteger(ms / 1000) ? `${ms / 1000}s` : `${Math.ceil(ms)}ms`
}

function pascal(name: string): string {
  return name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}
