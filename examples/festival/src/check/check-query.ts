import type { LogEvent } from 'kysely'
import type { Platform } from '../platform.ts'
import type { QueryCase } from '../queries/query-case.ts'
import { compareRows } from './compare-rows.ts'

export interface CheckedQuery {
  readonly query: QueryCase
  readonly rows: readonly object[]
  /** The statements as the service wrote them. */
  readonly statements: readonly LogEvent[]
  readonly durationMs: number
  readonly oneDurationMs: number
  /** How the result differs from that of one PostgreSQL; `undefined` when it does not. */
  readonly difference: string | undefined
}

/** How the shards answer a query; a test puts another answer in its place. */
export type Answer = (query: QueryCase, platform: Platform) => Promise<readonly object[]>

export const answerOfShards: Answer = (query, platform) => query.run(platform.doors)

/** Runs a query on the shards and on the one PostgreSQL, and compares the results. */
export async function checkQuery(
  query: QueryCase,
  platform: Platform,
  answer: Answer = answerOfShards,
): Promise<CheckedQuery> {
  const started = performance.now()
  const { result: rows, events } = await platform.recorded(() => answer(query, platform))
  const durationMs = performance.now() - started
  const oneStarted = performance.now()
  const expected = await query.run(platform.oneDoors)
  const oneDurationMs = performance.now() - oneStarted
  const difference = compareRows(rows, expected, { ordered: query.ordered })
  return { query, rows, statements: events, durationMs, oneDurationMs, difference }
}
