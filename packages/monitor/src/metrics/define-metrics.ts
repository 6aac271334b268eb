import type { MetricArea, MetricDefinition } from './metric-definition.ts'

type Given = Omit<MetricDefinition, 'area' | 'source' | 'promql' | 'name'> & Partial<MetricDefinition>

/** The metrics of an area by their names; what says nothing else is a gauge that the monitor measures. */
export function defineMetrics(area: MetricArea, given: Readonly<Record<string, Given>>): readonly MetricDefinition[] {
  return Object.freeze(
    Object.entries(given).map(([name, metric]) =>
      Object.freeze({ name, area, source: 'monitor' as const, promql: exportedAs(name), ...metric }),
    ),
  )
}

// Prometheus has durations in seconds.
function exportedAs(name: string): string {
  const series = `shardwright_monitor_${name}`
  return name.endsWith('_ms') ? `1000 * ${series.replace(/_ms$/, '_seconds')}` : series
}
