import { MonitorError } from '../errors/monitor-error.ts'
import {
  axisOf,
  escapeXml,
  greatest,
  knownOf,
  least,
  type Point,
  pathOf,
  pictureOf,
  pointAt,
  scaleOf,
} from '../svg/chart.ts'
import type { Replay } from './replay.ts'

export interface PlotOptions {
  readonly metric: string
  readonly target: string
  /** Pixels. Default: 960. */
  readonly width?: number | undefined
}

const height = 360
const margin = { left: 64, right: 56, top: 40, bottom: 36 }

/**
 * A replay as an SVG picture: the metric with the thresholds of its rules, the size in steps, a mark per action. Missing
 * values are gaps in the line.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 * @example
 * await writeFile('replay.svg', plotReplay(replay, { metric: 'latency_p95_ms', target: 'replicas' }))
 */
export function plotReplay(replay: Replay, { metric, target, width = 960 }: PlotOptions): string {
  const { steps } = replay
  const rules = replay.rules.filter((rule) => rule.target === target)
  const thresholds = rules.filter((rule) => rule.metric === metric).map((rule) => rule.threshold)
  const values = steps.map(({ point }) => point.values[metric])
  const sizes = steps.map((step) => step.sizes[target])
  if (!values.some((value) => value !== undefined)) {
    throw new MonitorError({
      code: 'MONITOR_INVALID_OPTIONS',
      message: `The replay has no value of '${metric}' to plot.`,
    })
  }
  const times = steps.map(({ point }) => point.atMs)
  const [start, end] = [least(times), greatest(times)]
  const x = scaleOf(start, end, margin.left, width - margin.right)
  const y = axisOf([...values, ...thresholds], height - margin.bottom, margin.top)
  const ySize = axisOf(sizes, height - margin.bottom, margin.top)
  const marks = replay.actions
    .filter((action) => action.target === target)
    .map(({ atMs, direction, from, to, rule }) => {
      const colour = direction === 'up' ? '#c0392b' : '#2471a3'
      const title = `<title>${escapeXml(`${rule}: ${from} to ${to}, ${new Date(atMs).toISOString()}`)}</title>`
      return `<line x1="${x(atMs)}" y1="${margin.top}" x2="${x(atMs)}" y2="${height - margin.bottom}" stroke="${colour}" stroke-dasharray="2 3">${title}</line>`
    })
  const limits = thresholds.map(
    (threshold) =>
      `<line x1="${margin.left}" y1="${y(threshold)}" x2="${width - margin.right}" y2="${y(threshold)}" stroke="#999" stroke-dasharray="6 4"/>` +
      `<text x="${margin.left - 6}" y="${y(threshold)}" text-anchor="end">${threshold}</text>`,
  )
  const line = pathOf(steps.map((_, index) => pointAt(x(times[index] as number), values[index], y)))
  const stairs = pathOf(steps.flatMap((_, index) => stair(index)))
  return pictureOf(width, height, [
    `<text x="${margin.left}" y="20" fill="#1e8449">${escapeXml(metric)}</text>`,
    `<text x="${width - margin.right}" y="20" text-anchor="end" fill="#7d3c98">${escapeXml(target)}: ${escapeXml(knownOf(sizes).at(0))} to ${escapeXml(knownOf(sizes).at(-1))}</text>`,
    ...limits,
    ...marks,
    `<path d="${line}" fill="none" stroke="#1e8449" stroke-width="1.5"/>`,
    `<path d="${stairs}" fill="none" stroke="#7d3c98" stroke-width="2"/>`,
    `<text x="${margin.left}" y="${height - 12}">${new Date(start).toISOString()}</text>`,
    `<text x="${width - margin.right}" y="${height - 12}" text-anchor="end">${new Date(end).toISOString()}</text>`,
  ])

  /** The size before holds until this point. */
  function stair(index: number): Point[] {
    const here = x(times[index] as number)
    return [...(index > 0 ? [pointAt(here, sizes[index - 1], ySize)] : []), pointAt(here, sizes[index], ySize)]
  }
}
