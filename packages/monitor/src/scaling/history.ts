import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'

/** Values measured at one time. A metric that is not there is missing, not zero. */
export interface HistoryPoint {
  /** Wall clock, milliseconds. */
  readonly atMs: number
  readonly values: Readonly<Record<string, number>>
}

export interface ScalingChange {
  readonly atMs: number
  readonly target: string
}

/** All that a decision depends on. */
export interface ScalingHistory {
  readonly nowMs: number
  /** In the order they were measured. */
  readonly points: readonly HistoryPoint[]
  readonly changes: readonly ScalingChange[]
  /** The size now, by target. */
  readonly sizes: Readonly<Record<string, number>>
}

const pointsShape = z.array(z.strictObject({ atMs: z.number(), values: z.record(z.string(), z.number()) }))

/**
 * Recorded points, e.g. read from a file.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 */
export function parseHistoryPoints(points: unknown): readonly HistoryPoint[] {
  return parseOptions('The recorded metrics', pointsShape, points)
}

const changesShape = z.array(z.strictObject({ atMs: z.number(), target: z.string() }))

/** @throws MonitorError MONITOR_INVALID_OPTIONS */
export function parseScalingChanges(changes: unknown): readonly ScalingChange[] {
  return parseOptions('The changes made before', changesShape, changes)
}

/** The points since the clock last went back: the older ones are of another time line. */
export function currentTimeline(points: readonly HistoryPoint[], nowMs: number): readonly HistoryPoint[] {
  let start = points.length
  let next = nowMs
  while (start > 0) {
    const point = points[start - 1] as HistoryPoint
    if (point.atMs > next) break
    next = point.atMs
    start--
  }
  return points.slice(start)
}
