import type { Alert, AlertLevel } from './alert.ts'
import { levelOf } from './level-of.ts'
import type { LimitedMetric } from './limited-metric.ts'

const severity = { unknown: -1, ok: 0, warning: 1, critical: 2 } as const
const known = ['ok', 'warning', 'critical'] as const
type KnownLevel = (typeof known)[number]
type Since = Record<KnownLevel, number | undefined>

/** One metric of one subject, and since when it is how it is. */
export class Watched {
  readonly metric: LimitedMetric
  readonly subject: string
  #level: AlertLevel = 'ok'
  #value: number | undefined
  /** When there was data last. */
  #seenMs: number
  #quietUntil: number
  /** Since when the values are at least, and at most, as bad as a level; both, or a value between two would start all anew. */
  #atLeast: Since = nothing()
  #atMost: Since = nothing()

  constructor(metric: LimitedMetric, subject: string, now: number) {
    this.metric = metric
    this.subject = subject
    this.#seenMs = now
    this.#quietUntil = now + metric.limits.graceMs
  }

  get seenMs(): number {
    return this.#seenMs
  }

  get level(): AlertLevel {
    return this.#value === undefined ? 'unknown' : this.#level
  }

  see(value: number, now: number, staleMs: number): void {
    if (this.#value === undefined || now - this.#seenMs > staleMs) {
      // New, or it was away: what it shows first is the start, and what was counted before the gap proves nothing.
      this.#quietUntil = now + this.metric.limits.graceMs
      this.#atLeast = nothing()
      this.#atMost = nothing()
    }
    this.#seenMs = now
    this.#value = value
    const bad = severity[levelOf(this.metric.limits, value, this.#level)]
    for (const level of known) {
      this.#atLeast[level] = bad >= severity[level] ? (this.#atLeast[level] ?? now) : undefined
      this.#atMost[level] = bad <= severity[level] ? (this.#atMost[level] ?? now) : undefined
    }
  }

  /** The alert when it is time for another level. */
  step(now: number, staleMs: number): Alert | undefined {
    if (now - this.#seenMs > staleMs) return this.#change('unknown', now)
    if (this.#value === undefined || this.#seenMs < this.#quietUntil) return undefined
    const { forMs, clearMs } = this.metric.limits
    const current = severity[this.#level]
    const worse = known.findLast((level) => severity[level] > current && this.#lasts(this.#atLeast[level], forMs))
    if (worse) return this.#change(worse, now)
    const better = known.find((level) => severity[level] < current && this.#lasts(this.#atMost[level], clearMs))
    return better && this.#change(better, now)
  }

  /** From value to value: time without data proves nothing, nor does a grace period. */
  #lasts(since: number | undefined, neededMs: number): boolean {
    return since !== undefined && this.#seenMs - Math.max(since, this.#quietUntil) >= neededMs
  }

  #change(level: AlertLevel, atMs: number): Alert | undefined {
    const before = this.#level
    if (before === level) return undefined
    this.#level = level
    const { name, title, unit, limits } = this.metric
    const value = level === 'unknown' ? undefined : this.#value
    return Object.freeze({
      metric: name,
      title,
      subject: this.subject,
      level,
      before,
      value,
      unit,
      atMs,
      remedy: limits.remedy,
    })
  }
}

function nothing(): Since {
  return { ok: undefined, warning: undefined, critical: undefined }
}
