import type { OrderKey } from '../plan/merge-plan.ts'
import type { PartialResult } from './partial-result.ts'
import { rowOrder, type TextRow } from './row-order.ts'
import { identityOfType } from './value-order.ts'

export interface OrderedMerge {
  readonly order: readonly OrderKey[]
  readonly distinct: boolean
  readonly hidden: number
  readonly offset: number
  /** Infinity for none. */
  readonly limit: number
}

/** Merges sorted partial rows; `undefined` when a type's order or equality is PostgreSQL's alone. */
export function mergeOrdered(parts: readonly PartialResult[], merge: OrderedMerge): TextRow[] | undefined {
  const fields = parts[0]?.fields ?? []
  const compare = rowOrder(merge.order, fields)
  const identity = merge.distinct ? rowIdentity(parts) : undefined
  if (!compare || (merge.distinct && !identity)) return undefined
  const merged: TextRow[] = []
  const end = merge.offset + merge.limit
  const seen = new Set<string>()
  let passed = 0
  for (const row of mergeSorted(
    parts.map((part) => part.rows),
    compare,
  )) {
    if (passed >= end) break
    if (identity) {
      const key = identity(row)
      if (seen.has(key)) continue
      seen.add(key)
    }
    if (passed++ >= merge.offset) merged.push(row)
  }
  return merged
}

function rowIdentity(parts: readonly PartialResult[]): ((row: TextRow) => string) | undefined {
  const identities = (parts[0]?.fields ?? []).map((field) => identityOfType(field.dataTypeID))
  if (identities.some((identity) => identity === undefined)) return undefined
  return (row) => JSON.stringify(row)
}

/** K-way merge: of equal rows, those of the earlier source first. */
export function* mergeSorted<Row>(
  sources: readonly (readonly Row[])[],
  compare: (a: Row, b: Row) => number,
): Generator<Row> {
  const positions = sources.map(() => 0)
  const heap = sources.map((_, index) => index).filter((index) => (sources[index] as readonly Row[]).length > 0)
  const head = (index: number): Row => (sources[index] as readonly Row[])[positions[index] as number] as Row
  const before = (a: number, b: number): boolean => {
    const order = compare(head(a), head(b))
    return order < 0 || (order === 0 && a < b)
  }
  for (let i = Math.floor(heap.length / 2) - 1; i >= 0; i--) siftDown(heap, i, before)
  while (heap.length > 0) {
    const index = heap[0] as number
    yield head(index)
    positions[index] = (positions[index] as number) + 1
    if ((positions[index] as number) >= (sources[index] as readonly Row[]).length) {
      const last = heap.pop() as number
      if (heap.length === 0) return
      heap[0] = last
    }
    siftDown(heap, 0, before)
  }
}

export function siftDown(heap: number[], start: number, before: (a: number, b: number) => boolean): void {
  let at = start
  for (;;) {
    const left = 2 * at + 1
    const right = left + 1
    let least = at
    if (left < heap.length && before(heap[left] as number, heap[least] as number)) least = left
    if (right < heap.length && before(heap[right] as number, heap[least] as number)) least = right
    if (least === at) return
    const moved = heap[at] as number
    heap[at] = heap[least] as number
    heap[least] = moved
    at = least
  }
}
