import type { PgField } from '@shardwright/core'
import type { QueryResult } from 'kysely'
import type { ExecutionContext } from '../execute/context.ts'
import type { Merge } from '../plan/merge-plan.ts'
import { resolveSource, toCount } from '../plan/source.ts'
import type { StatementResult } from '../pool/shard-pool.ts'
import { siftDown } from './ordered.ts'
import { parseRows } from './parse-rows.ts'
import { rowOrder, type TextRow } from './row-order.ts'

interface Head {
  rows: readonly TextRow[]
  at: number
}

/**
 * Merges sorted cursors into one stream, holding one chunk of each source. Gives false, having yielded nothing, when
 * the order of some column is PostgreSQL's alone.
 */
export async function* streamOrdered(
  sources: readonly AsyncIterableIterator<StatementResult>[],
  merge: Merge & { kind: 'ordered' },
  chunkSize: number,
  context: ExecutionContext,
): AsyncGenerator<QueryResult<unknown>, boolean> {
  try {
    const firsts = await Promise.all(sources.map((source) => source.next()))
    const fields =
      firsts.map((first) => first.value as StatementResult | undefined).find((first) => first)?.fields ?? []
    const compare = rowOrder(merge.order, fields)
    if (!compare) return false
    const heads: Head[] = firsts.map((first) => ({
      rows: first.done ? [] : (first.value.rows as readonly TextRow[]),
      at: 0,
    }))
    yield* emit(heads, sources, compare, fields, merge, chunkSize, context)
    return true
  } finally {
    await Promise.all(sources.map((source) => source.return?.()))
  }
}

async function* emit(
  heads: readonly Head[],
  sources: readonly AsyncIterableIterator<StatementResult>[],
  compare: (a: TextRow, b: TextRow) => number,
  fields: readonly PgField[],
  merge: Merge & { kind: 'ordered' },
  chunkSize: number,
  context: ExecutionContext,
): AsyncGenerator<QueryResult<unknown>, void> {
  const visible = fields.length - merge.hidden
  const shown = fields.slice(0, visible)
  let { skip, left } = windowOf(merge, context)
  const heap = heads.map((_, index) => index).filter((index) => (heads[index] as Head).rows.length > 0)
  const head = (index: number): TextRow => (heads[index] as Head).rows[(heads[index] as Head).at] as TextRow
  const before = (a: number, b: number): boolean => {
    const order = compare(head(a), head(b))
    return order < 0 || (order === 0 && a < b)
  }
  for (let i = Math.floor(heap.length / 2) - 1; i >= 0; i--) siftDown(heap, i, before)
  let out: TextRow[] = []
  while (heap.length > 0 && left > 0) {
    const index = heap[0] as number
    const source = heads[index] as Head
    const row = head(index)
    if (skip > 0) skip--
    else {
      out.push(merge.hidden > 0 ? row.slice(0, visible) : row)
      left--
    }
    if (out.length === chunkSize) {
      yield { rows: parseRows(out, shown) }
      out = []
    }
    source.at++
    if (
      source.at >= source.rows.length &&
      !(await refill(source, sources[index] as AsyncIterableIterator<StatementResult>))
    ) {
      const last = heap.pop() as number
      if (heap.length === 0) break
      heap[0] = last
    }
    siftDown(heap, 0, before)
  }
  if (out.length > 0) yield { rows: parseRows(out, shown) }
}

async function refill(head: Head, source: AsyncIterableIterator<StatementResult>): Promise<boolean> {
  const next = await source.next()
  head.rows = next.done ? [] : (next.value.rows as readonly TextRow[])
  head.at = 0
  return head.rows.length > 0
}

function windowOf(merge: Merge & { kind: 'ordered' }, context: ExecutionContext): { skip: number; left: number } {
  const limit = merge.window.limit ? toCount(resolveSource(merge.window.limit, context.call)) : null
  const offset = merge.window.offset ? toCount(resolveSource(merge.window.offset, context.call)) : null
  return { skip: Number(offset ?? 0n), left: limit === null ? Number.POSITIVE_INFINITY : Number(limit) }
}
