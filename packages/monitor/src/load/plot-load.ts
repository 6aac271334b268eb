import { axisOf, escapeXml, greatest, knownOf, pathOf, pictureOf, pointAt, type Scale, scaleOf } from '../svg/chart.ts'
import type { LoadReport } from './load-report.ts'

export interface LoadPlotOptions {
  /** Default: `Load`. */
  readonly title?: string | undefined
  /** Pixels. Default: 960. */
  readonly width?: number | undefined
  /** A third panel with the memory of the process. Default: false. */
  readonly memory?: boolean | undefined
}

const margin = { left: 72, right: 24, top: 44, bottom: 36 } as const
const panel = { height: 190, gap: 48 } as const
const colours = {
  offered: '#999999',
  completed: '#1e8449',
  errors: '#c0392b',
  p50: '#2471a3',
  p95: '#b9770e',
  p99: '#7d3c98',
  rss: '#2c3e50',
  heap: '#16a085',
} as const

interface Line {
  readonly name: keyof typeof colours
  readonly values: readonly (number | undefined)[]
}

/**
 * A run as an SVG picture: calls per second above, latencies below, and memory below them where it is asked for. A second
 * without calls is a gap.
 * @example
 * await writeFile('load.svg', plotLoad(report, { title: 'checkout, load' }))
 */
export function plotLoad(
  report: LoadReport,
  { title = 'Load', width = 960, memory = false }: LoadPlotOptions = {},
): string {
  const { moments } = report
  const times = moments.map(({ atMs }) => atMs)
  const x = scaleOf(0, Math.max(1, greatest([...times, 0])), margin.left, width - margin.right)
  const panels = memory ? 3 : 2
  const topOf = (place: number) => margin.top + place * (panel.height + panel.gap)
  const height = topOf(panels) - panel.gap + margin.bottom
  const megabytes = (bytes: number | undefined) => (bytes === undefined ? undefined : bytes / 1e6)
  const end = report.end === 'done' ? '' : `, ended by ${report.end}`
  const heading = `${title}: ${report.calls} calls, ${report.errors} errors, p99 ${shown(report.latency.p99)} ms${end}`
  return pictureOf(width, height, [
    `<text x="${margin.left}" y="20">${escapeXml(heading)}</text>`,
    ...panelOf('calls/s', topOf(0), [
      { name: 'offered', values: moments.map(({ offered }) => offered) },
      { name: 'completed', values: moments.map(({ completed }) => completed) },
      { name: 'errors', values: moments.map(({ errors }) => errors) },
    ]),
    ...panelOf('ms', topOf(1), [
      { name: 'p50', values: moments.map(({ latency }) => latency.p50) },
      { name: 'p95', values: moments.map(({ latency }) => latency.p95) },
      { name: 'p99', values: moments.map(({ latency }) => latency.p99) },
    ]),
    ...(memory
      ? panelOf('MB', topOf(2), [
          { name: 'rss', values: moments.map(({ rssBytes }) => megabytes(rssBytes)) },
          { name: 'heap', values: moments.map(({ heapBytes }) => megabytes(heapBytes)) },
        ])
      : []),
    `<text x="${width - margin.right}" y="${height - 12}" text-anchor="end">${Math.round(greatest([...times, 0]) / 1000)} s</text>`,
  ])

  function panelOf(unit: string, top: number, lines: readonly Line[]): string[] {
    const bottom = top + panel.height
    const values = lines.flatMap((line) => line.values)
    const y = axisOf(values, bottom, top)
    return [
      `<line x1="${margin.left}" y1="${bottom}" x2="${width - margin.right}" y2="${bottom}" stroke="#ccc"/>`,
      ...ticksOf(values, unit, y),
      ...lines.map(
        ({ name, values: own }) =>
          `<path d="${pathOf(own.map((value, index) => pointAt(x(times[index] as number), value, y)))}" fill="none" stroke="${colours[name]}" stroke-width="1.5"/>`,
      ),
      ...lines.map(
        ({ name }, index) =>
          `<text x="${margin.left + 8 + index * 84}" y="${top - 6}" fill="${colours[name]}">${name}</text>`,
      ),
    ]
  }
}

function ticksOf(values: readonly (number | undefined)[], unit: string, y: Scale): string[] {
  const high = greatest([...knownOf(values), 0])
  return [0, high / 2, high].map(
    (value) => `<text x="${margin.left - 6}" y="${y(value) + 4}" text-anchor="end">${shown(value)} ${unit}</text>`,
  )
}

function shown(value: number | undefined): string {
  if (value === undefined) return '?'
  return value >= 10 ? String(Math.round(value)) : String(Math.round(value * 100) / 100)
}
