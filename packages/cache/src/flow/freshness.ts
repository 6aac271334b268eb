import type { Entry } from '../tiers/entry.ts'

/** `early`: fresh, but this caller has drawn the lot to load it anew in the background. */
export type Freshness = 'fresh' | 'early' | 'stale'

/**
 * XFetch (Vattani and others, VLDB 2015): the nearer the end and the slower the load, the likelier an early refresh,
 * so that about one caller refreshes a hot entry before it ends.
 */
export function freshnessOf(entry: Entry, nowMs: number, beta: number, random: () => number): Freshness {
  if (entry.freshUntil <= nowMs) return 'stale'
  if (beta === 0) return 'fresh'
  // The lot is drawn only near the end: at 40 times the load's duration its chance is below 1e-17.
  if (entry.freshUntil - nowMs > entry.loadMs * beta * 40) return 'fresh'
  return nowMs - entry.loadMs * beta * Math.log(1 - random()) >= entry.freshUntil ? 'early' : 'fresh'
}
