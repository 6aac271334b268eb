import type { StatementResult } from '../pool/shard-pool.ts'
import { type ExecutionContext, runOn } from './context.ts'
import type { ShardRows } from './insert-rows.ts'
import { type WrittenRows, writtenBy } from './written-rows.ts'

/** Rows come back in the order of the caller's VALUES when every row returns; else by shard. */
export async function insertParts(
  parts: readonly ShardRows[],
  context: ExecutionContext,
  rows: 'objects' | 'text',
): Promise<WrittenRows> {
  const [only] = parts
  if (!only) return writtenBy(0, { command: 'INSERT', rowCount: 0, rows: [], fields: [], server: '' })
  if (parts.length === 1 && !context.transaction) {
    return writtenBy(only.shard, await runOn(context, only.shard, { ...only.statement, rows }))
  }
  return await context.atomically(async (transaction) => {
    const results = await Promise.all(
      parts.map((part) => transaction.execute(part.shard, { ...part.statement, rows }, context.run)),
    )
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
