import type { StatementResult } from '../pool/shard-pool.ts'
import { isStalePlan } from '../pool/stale-plan.ts'
import { type ExecutionContext, runOn } from './context.ts'
import type { ShardRows } from './insert-rows.ts'
import { type WrittenRows, writtenBy } from './written-rows.ts'

/**
 * Rows come back in the order of the caller's VALUES when every row returns; else by shard. `asLast`: each part is expected
 * to write, and nothing follows them where the statement is a transaction of its own.
 */
export async function insertParts(
  parts: readonly ShardRows[],
  context: ExecutionContext,
  rows: 'objects' | 'text',
  asLast = false,
): Promise<WrittenRows> {
  const [only] = parts
  if (!only) return writtenBy(0, { command: 'INSERT', rowCount: 0, rows: [], fields: [], server: '' })
  if (parts.length === 1 && !context.transaction) {
    return writtenBy(only.shard, await runOn(context, only.shard, { ...only.statement, rows }))
  }
  if (context.transaction || !asLast) return await insertAll(parts, context, rows, false)
  try {
    return await insertAll(parts, context, rows, true)
  } catch (error) {
    // All is rolled back; without haste each shard plans anew by itself.
    if (!isStalePlan(error)) throw error
    return await insertAll(parts, context, rows, false)
  }
}

function insertAll(
  parts: readonly ShardRows[],
  context: ExecutionContext,
  rows: 'objects' | 'text',
  asLast: boolean,
): Promise<WrittenRows> {
  const [only] = parts as readonly [ShardRows, ...ShardRows[]]
  const statements = parts.map(({ shard, statement }) => ({ shard, statement: { ...statement, rows } }))
  return context.atomically(async (transaction) => {
    const last = asLast ? transaction.executeLast?.(statements, context.run) : undefined
    const results = await (last ??
      Promise.all(statements.map(({ shard, statement }) => transaction.execute(shard, statement, context.run))))
    const summed = sumResults(results)
    const complete = results.every((result, index) => result.rows.length === parts[index]?.places.length)
    if (!complete || summed.rows.length === 0) return writtenBy(only.shard, summed)
    const ordered: unknown[] = []
    results.forEach((result, index) => {
      const places = parts[index]?.places ?? []
      result.rows.forEach((row, at) => {
        ordered[places[at] as number] = row
      })
    })
    return writtenBy(only.shard, { ...summed, rows: ordered })
  })
}

export function sumResults(results: readonly StatementResult[]): StatementResult {
  const [first] = results as readonly [StatementResult, ...StatementResult[]]
  return {
    ...first,
    rowCount: results.reduce((sum, result) => sum + result.rowCount, 0),
    rows: results.flatMap((result) => result.rows),
  }
}
