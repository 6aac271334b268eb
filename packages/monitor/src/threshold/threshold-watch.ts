import { checkMetrics } from '../metrics/check-metrics.ts'
import { defaultMetrics } from '../metrics/default-metrics.ts'
import type { MetricDefinition } from '../metrics/metric-definition.ts'
import type { Alert, AlertLevel } from './alert.ts'
import { type LimitedMetric, limitedMetrics } from './limited-metric.ts'
import { Watched } from './watched.ts'

const forgetMs = 86_400_000

/** One measured value. `undefined`: it was asked for and there is no answer, which is not zero. */
export interface Observation {
  readonly metric: string
  /** What was measured: a shard, or `shard/replica`. */
  readonly subject: string
  readonly value: number | undefined
}

export interface ThresholdWatchOptions {
  /** Default: `defaultMetrics`. */
  readonly metrics?: readonly MetricDefinition[] | undefined
  /** A subject without data for so long is `unknown`. Default: 120000. */
  readonly staleMs?: number | undefined
}

/**
 * Turns values into alerts: after a duration, with hysteresis, each subject for itself. It keeps no clock: `atMs` is the
 * caller's, monotonic.
 * @example
 * const watch = new ThresholdWatch()
 * for (const alert of watch.observe(observations, clock.monotonicMs())) await alerts.tell(alert)
 */
export class ThresholdWatch {
  readonly #metrics: ReadonlyMap<string, LimitedMetric>
  readonly #staleMs: number
  readonly #watched = new Map<string, Watched>()
  #atMs = Number.NEGATIVE_INFINITY

  /** @throws MonitorError MONITOR_INVALID_OPTIONS */
  constructor({ metrics = defaultMetrics, staleMs = 120_000 }: ThresholdWatchOptions = {}) {
    this.#metrics = new Map(limitedMetrics(checkMetrics(metrics)).map((metric) => [metric.name, metric]))
    this.#staleMs = staleMs
  }

  /** The changes of level that these values bring. Metrics without limits are passed over. */
  observe(observations: readonly Observation[], atMs: number): Alert[] {
    // A clock that goes back would make durations negative: time stands still instead.
    const now = Math.max(atMs, this.#atMs)
    this.#atMs = now
    const alerts: Alert[] = []
    for (const { metric, subject, value } of observations) {
      const definition = this.#metrics.get(metric)
      if (definition === undefined) continue
      const watched = this.#watchedOf(definition, subject, now)
      if (value !== undefined && Number.isFinite(value)) watched.see(value, now, this.#staleMs)
    }
    for (const [key, watched] of this.#watched) {
      const alert = watched.step(now, this.#staleMs)
      if (alert) alerts.push(alert)
      // Tables are dropped and replicas come back under another name: they were told to be unknown long ago.
      if (now - watched.seenMs > forgetMs) this.#watched.delete(key)
    }
    return alerts
  }

  /** The level of one subject; `unknown` when it was never measured. */
  levelOf(metric: string, subject: string): AlertLevel {
    return this.#watched.get(keyOf(metric, subject))?.level ?? 'unknown'
  }

  /**
   * How the fleet is: the level that at least `quorum` (default: half) of the known subjects have reached, so that one noisy
   * shard does not speak for all.
   */
  fleetLevelOf(metric: string, quorum = 0.5): AlertLevel {
    const all = [...this.#watched.values()].filter((watched) => watched.metric.name === metric)
    const known = all.filter(({ level }) => level !== 'unknown')
    if (known.length === 0) return 'unknown'
    const reached = (levels: readonly AlertLevel[]) =>
      known.filter(({ level }) => levels.includes(level)).length >= quorum * known.length
    if (reached(['critical'])) return 'critical'
    return reached(['critical', 'warning']) ? 'warning' : 'ok'
  }

  /** Drops a subject that is gone for good, such as a replica that was removed. */
  forget(subject: string): void {
    for (const [key, watched] of this.#watched) if (watched.subject === subject) this.#watched.delete(key)
  }

  #watchedOf(metric: LimitedMetric, subject: string, now: number): Watched {
    const key = keyOf(metric.name, subject)
    const known = this.#watched.get(key)
    if (known) return known
    const made = new Watched(metric, subject, now)
    this.#watched.set(key, made)
    return made
  }
}

function keyOf(metric: string, subject: string): string {
  return JSON.stringify([metric, subject])
}
