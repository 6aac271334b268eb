/** The time that the data spans: whole months in UTC, `endMs` excluded. */
export interface Months {
  readonly firstMs: number
  readonly endMs: number
}

/**
 * The months that end with the current one, and `extra` older ones that retention will remove. The current month is
 * filled too, as if it had passed: what the queries see does not depend on the day of the month.
 */
export function monthsUpTo(now: Date, count: number): Months {
  const year = now.getUTCFullYear()
  const month = now.getUTCMonth()
  return Object.freeze({ firstMs: Date.UTC(year, month + 1 - count, 1), endMs: Date.UTC(year, month + 1, 1) })
}
