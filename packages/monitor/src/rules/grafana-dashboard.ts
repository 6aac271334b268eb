import { checkMetrics } from '../metrics/check-metrics.ts'
import { defaultMetrics } from '../metrics/default-metrics.ts'
import type { Limits } from '../metrics/limits.ts'
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
  readonly panels: readonly (GrafanaPanel | GrafanaRow)[]
}

/** The heading of an area. */
export interface GrafanaRow {
  readonly id: number
  readonly type: 'row'
  readonly title: string
  readonly collapsed: false
  readonly gridPos: GridPosition
  readonly panels: readonly never[]
}

interface GridPosition {
  readonly h: number
  readonly w: number
  readonly x: number
  readonly y: number
}

export interface GrafanaPanel {
  readonly id: number
  readonly type: 'timeseries'
  readonly title: string
  readonly description: string
  readonly datasource: { readonly type: 'prometheus'; readonly uid: string }
  readonly gridPos: GridPosition
  readonly targets: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[]
  readonly fieldConfig: { readonly defaults: object; readonly overrides: readonly object[] }
}

const units: Record<MetricUnit, string> = {
  ms: 'ms',
  s: 's',
  ratio: 'percentunit',
  bytes: 'bytes',
  'bytes/s': 'Bps',
  '1/s': 'cps',
  count: 'short',
}
const source = { type: 'prometheus', uid: '$' + '{datasource}' } as const

/**
 * A Grafana dashboard with a row per area, a panel per metric and its limits as lines; from the same definitions as the alert rules.
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
    panels: panelsOf(checkMetrics(metrics)),
  })
}

const rowHeight = 1
const panelHeight = 8

/** A row per area, two panels beside each other. */
function panelsOf(metrics: readonly MetricDefinition[]): readonly (GrafanaPanel | GrafanaRow)[] {
  const panels: (GrafanaPanel | GrafanaRow)[] = []
  let y = 0
  for (const area of new Set(metrics.map((metric) => metric.area))) {
    panels.push(rowOf(area, panels.length + 1, y))
    y += rowHeight
    const own = metrics.filter((metric) => metric.area === area)
    for (const [index, metric] of own.entries()) {
      const at = { h: panelHeight, w: 12, x: (index % 2) * 12, y: y + Math.floor(index / 2) * panelHeight }
      panels.push(panelOf(metric, panels.length + 1, at))
    }
    y += Math.ceil(own.length / 2) * panelHeight
  }
  return panels
}

function rowOf(title: string, id: number, y: number): GrafanaRow {
  return { id, type: 'row', title, collapsed: false, gridPos: { h: rowHeight, w: 24, x: 0, y }, panels: [] }
}

function panelOf(metric: MetricDefinition, id: number, gridPos: GridPosition): GrafanaPanel {
  const { limits } = metric
  const thresholds = limits && {
    custom: { thresholdsStyle: { mode: 'line' }, spanNulls: false },
    thresholds: { mode: 'absolute', steps: stepsOf(limits) },
  }
  return {
    id,
    type: 'timeseries',
    title: metric.title,
    description: limits?.remedy ?? '',
    datasource: source,
    gridPos,
    targets: [{ refId: 'A', expr: metric.promql, legendFormat: '__auto' }],
    fieldConfig: { defaults: { unit: units[metric.unit], ...thresholds }, overrides: [] },
  }
}

/** Grafana's steps go upwards; each says the colour from its value on. */
function stepsOf({ worse, warning, critical }: Limits): readonly object[] {
  const [first, middle, last] = worse === 'above' ? ['green', 'orange', 'red'] : ['red', 'orange', 'green']
  const [low, high] = worse === 'above' ? [warning, critical] : [critical, warning]
  const steps = [{ color: first, value: null as number | null }]
  if (low !== high) steps.push({ color: middle, value: low })
  return [...steps, { color: last, value: high }]
}
