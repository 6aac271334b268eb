import type { Sample } from '../collect/sample.ts'
import type { HistoryPoint } from '../scaling/history.ts'

/**
 * Rounds in memory, so many at most. Of a metric with several subjects (shards, replicas, tables) it keeps the median under
 * the metric's name, so that one noisy shard does not speak for all, and the ends as `<name>.max` and `<name>.min`.
 */
export class RoundHistory {
  readonly #kept: number
  readonly #points: HistoryPoint[] = []

  constructor(kept: number) {
    this.#kept = kept
  }

  /** `atMs` is the wall clock. */
  add(atMs: number, samples: readonly Sample[]): void {
    this.#points.push(pointOf(atMs, samples))
    if (this.#points.length > this.#kept) this.#points.shift()
  }

  /** In the order they were measured, as `decide` and `replayRules` take them. */
  points(): readonly HistoryPoint[] {
    return [...this.#points]
  }
}

/** One round as a point of a history: of each metric the median of its subjects, the lowest and the highest. */
export function pointOf(atMs: number, samples: readonly Sample[]): HistoryPoint {
  const byMetric = new Map<string, number[]>()
  for (const { metric, value } of samples) {
    if (value === undefined || !Number.isFinite(value)) continue
    const values = byMetric.get(metric)
    if (values) values.push(value)
    else byMetric.set(metric, [value])
  }
  const values: Record<string, number> = {}
  for (const [metric, all] of byMetric) {
    const sorted = all.toSorted((a, b) => a - b)
    values[metric] = middleOf(sorted)
    values[`${metric}.min`] = sorted[0] as number
    values[`${metric}.max`] = sorted.at(-1) as number
  }
  return Object.freeze({ atMs, values: Object.freeze(values) })
}

function middleOf(sorted: readonly number[]): number {
  const half = sorted.length >> 1
  const upper = sorted[half] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2
}
