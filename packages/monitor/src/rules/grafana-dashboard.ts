import { checkMetrics } from '../metrics/check-metrics.ts'
import { defaultMetrics } from '../metrics/default-metrics.ts'
import type { MetricDefinition, MetricUnit } from '../metrics/metric-definition.ts'

export interface GrafanaDashboardOptions {
  /** Default: `defaultMetrics`. */
  readonly metrics?: readonly MetricDefinition[] | undefined
  /** Default: `Shardwright`. */
  readonly title?: string | undefined
}

/** A dashboard as Grafana imports it; the parts that are made here. */
export interface GrafanaDashboard {
  readonly title: string
  readonly uid: string
  readonly schemaVersion: number
  readonly refresh: string
  readonly time: { readonly from: string; readonly to: string }
  readonly templating: { readonly list: readonly object[] }
  readonly panels: readonly GrafanaPanel[]
}

export interface GrafanaPanel {
  readonly id: number
  readonly type: 'timeseries'
  readonly title: string
  readonly description: string
  readonly datasource: { readonly type: 'prometheus'; readonly uid: string }
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number }
  readonly targets: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[]
  readonly fieldConfig: { readonly defaults: object; readonly overrides: readonly object[] }
}

const units: Record<MetricUnit, string> = { ms: 'ms', s: 's', ratio: 'percentunit', bytes: 'bytes', count: 'short' }
const source = { type: 'prometheus', uid: '$' + '{datasource}' } as const

/**
 * A Grafana dashboard with a panel per metric and its thresholds as lines; from the same definitions as the alert rules.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 * @example
 * await writeFile('dashboard.json', JSON.stringify(grafanaDashboard(), null, 2))
 */
export function grafanaDashboard({
  metrics = defaultMetrics,
  title = 'Shardwright',
}: GrafanaDashboardOptions = {}): GrafanaDashboard {
  return Object.freeze({
    title,
    uid: 'shardwright',
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: { list: [{ name: 'datasource', type: 'datasource', query: 'prometheus' }] },
    panels: checkMetrics(metrics).map(panelOf),
  })
}

function panelOf(metric: MetricDefinition, index: number): GrafanaPanel {
  return {
    id: index + 1,
    type: 'timeseries',
    title: metric.title,
    description: metric.remedy,
    datasource: source,
    gridPos: { h: 8, w: 12, x: (index % 2) * 12, y: Math.floor(index / 2) * 8 },
    targets: [{ refId: 'A', expr: metric.promql, legendFormat: '__auto' }],
    fieldConfig: {
      defaults: {
        unit: units[metric.unit],
        custom: { thresholdsStyle: { mode: 'line' }, spanNulls: false },
        thresholds: { mode: 'absolute', steps: stepsOf(metric) },
      },
      overrides: [],
    },
  }
}

/** Grafana's steps go upwards; each says the colour from its value on. */
function stepsOf({ worse, warning, critical }: MetricDefinition): readonly object[] {
  const [first, middle, last] = worse === 'above' ? ['green', 'orange', 'red'] : ['red', 'orange', 'green']
  const [low, high] = worse === 'above' ? [warning, critical] : [critical, warning]
  const steps = [{ color: first, value: null as number | null }]
  if (low !== high) steps.push({ color: middle, value: low })
  return [...steps, { color: last, value: high }]
}
