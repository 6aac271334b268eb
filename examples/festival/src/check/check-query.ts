import type { LogEvent } from 'kysely'
import type { Platform } from '../platform.ts'
import type { QueryCase } from '../queries/query-case.ts'
import { compareRows } from './compare-rows.ts'

export interface CheckedQuery {
  readonly query: QueryCase
  readonly rows: readonly object[]
  /** The statements as the service wrote them. */
  readonly statements: readonly LogEvent[]
  readonly shardTimes: Times
  readonly oneTimes: Times
  /** How the result differs from that of one PostgreSQL; `undefined` when it does not. */
  readonly difference: string | undefined
}

/** The first run of a query, which also plans it, and the median of those after; writes run once. */
export interface Times {
  readonly firstMs: number
  readonly laterMs: number | undefined
}

const laterRuns = 5

/** How the shards answer a query; a test puts another answer in its place. */
export type Answer = (query: QueryCase, platform: Platform) => Promise<readonly object[]>

export const answerOfShards: Answer = (query, platform) => query.run(platform.doors)

/** Runs a query on the shards and on the one PostgreSQL, and compares the results. */
export async function checkQuery(
  query: QueryCase,
  platform: Platform,
  answer: Answer = answerOfShards,
): Promise<CheckedQuery> {
  const shards = await platform.recorded(() => timed(query, () => answer(query, platform)))
  const one = await timed(query, () => query.run(platform.oneDoors))
  const { rows, times, differences } = shards.result
  const difference = [...differences, compareRows(rows, one.rows, query)].find((text) => text !== undefined)
  const statements = shards.events.slice(0, shards.events.length / (query.writes ? 1 : 1 + laterRuns))
  return { query, rows, statements, shardTimes: times, oneTimes: one.times, difference }
}

/** Runs a query, a read several times; every run has to give the same rows. */
async function timed(query: QueryCase, run: () => Promise<readonly object[]>) {
  const started = performance.now()
  const rows = await run()
  const firstMs = performance.now() - started
  if (query.writes) return { rows, times: { firstMs, laterMs: undefined }, differences: [] }
  const later: number[] = []
  const differences: (string | undefined)[] = []
  for (let left = laterRuns; left > 0; left--) {
    const again = performance.now()
    const repeated = await run()
    later.push(performance.now() - again)
    differences.push(compareRows(repeated, rows, query))
  }
  later.sort((a, b) => a - b)
  return { rows, times: { firstMs, laterMs: later[Math.floor(laterRuns / 2)] }, differences }
}
