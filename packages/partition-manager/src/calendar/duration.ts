import { Temporal } from 'temporal-polyfill'

const part = /(\d+)\s*(hour|day|week|month|year)s?/y

/** A length of calendar time in words: `12 months`, `1 year 6 months`, `90 days`. */
export type RetentionText = string

/** Reads `12 months` or `1 year 6 months`; `undefined` when it is not such a text or is zero. */
export function parseDuration(text: string): Temporal.Duration | undefined {
  const sums: Record<string, number> = {}
  const trimmed = text.trim()
  let at = 0
  while (at < trimmed.length) {
    part.lastIndex = at
    const match = part.exec(trimmed)
    if (!match) return undefined
    const field = `${match[2]}s`
    if (sums[field] !== undefined) return undefined
    sums[field] = Number(match[1])
    at = part.lastIndex
    while (trimmed[at] === ' ') at++
  }
  const duration = at === 0 ? undefined : Temporal.Duration.from(sums)
  return duration?.sign === 1 ? duration : undefined
}
