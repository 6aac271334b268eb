/** When a metric is bad, and what to do then. */
export interface Limits {
  /** `above`: high values are bad. */
  readonly worse: 'above' | 'below'
  readonly warning: number
  readonly critical: number
  /** How long a value must be bad before it is told. */
  readonly forMs: number
  /** How long it must be good again, and by `hysteresis` better than the threshold, before that is told. */
  readonly clearMs: number
  /** Share of the threshold: 0.1 clears an alert at 100 ms only below 90 ms. */
  readonly hysteresis: number
  /** Nothing is told so long after a subject appears, or appears again: a replica that restarts is behind at first. */
  readonly graceMs: number
  /** What to do when it is bad, in one sentence. */
  readonly remedy: string
}

const minuteMs = 60_000

/** Limits with the usual patience: bad for 2 minutes, good for 5, 10 % of hysteresis, no grace. */
export function limits(given: Pick<Limits, 'warning' | 'critical' | 'remedy'> & Partial<Limits>): Limits {
  return Object.freeze({
    worse: 'above',
    forMs: 2 * minuteMs,
    clearMs: 5 * minuteMs,
    hysteresis: 0.1,
    graceMs: 0,
    ...given,
  })
}
