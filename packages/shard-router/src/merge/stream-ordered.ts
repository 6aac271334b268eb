import type { QueryResult } from 'kysely'
import type { ExecutionContext } from '../execute/context.ts'
import type { Combine, OrderKey } from '../plan/merge-plan.ts'
import { createRowReader } from '../pool/row-reader.ts'
import type { StatementResult } from '../pool/shard-pool.ts'
import { checkColumns } from './check-columns.ts'
import { siftDown } from './ordered.ts'
import { rowOrder, type TextRow } from './row-order.ts'
import { sortKeyOfType } from './value-order.ts'

type Chunks = AsyncIterableIterator<StatementResult>
type Key = number | bigint | string | null

/** One sorted cursor: the chunk that is read, the row in front with its first sort key, the chunk that is on its way. */
class Source {
  row: TextRow = []
  key: Key = null
  #rows: readonly TextRow[] = []
  #at = 0
  readonly #chunks: Chunks
  readonly #keyOf: ((row: TextRow) => Key) | undefined
  #next: Promise<IteratorResult<StatementResult>> | undefined

  constructor(chunks: Chunks, first: IteratorResult<StatementResult>, keyOf: ((row: TextRow) => Key) | undefined) {
    this.#chunks = chunks
    this.#keyOf = keyOf
    this.#take(first)
  }

  get hasRow(): boolean {
    return this.#at < this.#rows.length
  }

  /** Goes to the next row of the chunk; gives false at its end. */
  advance(): boolean {
    if (++this.#at >= this.#rows.length) return false
    this.#look()
    return true
  }

  /** Gives false when the cursor is at its end. */
  async refill(): Promise<boolean> {
    if (!this.#next) return false
    this.#take(await this.#next)
    return this.hasRow
  }

  /** Asks for the next chunk at once: the server works while this one is merged. */
  #take(result: IteratorResult<StatementResult>): void {
    this.#at = 0
    this.#rows = result.done ? [] : (result.value.rows as readonly TextRow[])
    if (this.hasRow) this.#look()
    this.#next = result.done ? undefined : this.#chunks.next()
    // A failure is thrown when the chunk is asked for.
    this.#next?.catch(() => undefined)
  }

  #look(): void {
    this.row = this.#rows[this.#at] as TextRow
    if (this.#keyOf) this.key = this.#keyOf(this.row)
  }
}

/** How rows are sorted, how many columns at their end are no outputs, and which of the merged rows to give. */
export interface OrderedRows {
  readonly order: readonly OrderKey[]
  readonly hidden: number
  readonly offset: number
  readonly limit: number
  readonly combine: Pick<Combine, 'stars'>
  /** Whose rows the cursors give, in their order. */
  readonly shards: readonly number[]
}

/**
 * Merges sorted cursors into one stream, holding two chunks of each. Gives false, having yielded nothing, when the order
 * of some column is PostgreSQL's alone. `stop` ends the reads that are under way: at the end no chunk is awaited for nothing.
 */
export async function* streamOrdered(
  cursors: readonly Chunks[],
  merge: OrderedRows,
  chunkSize: number,
  context: ExecutionContext,
  stop: () => void,
): AsyncGenerator<QueryResult<unknown>, boolean> {
  try {
    const firsts = await Promise.all(cursors.map((cursor) => cursor.next()))
    const described = firsts.flatMap((first, index) =>
      first.done ? [] : [{ shard: merge.shards[index] as number, fields: first.value.fields }],
    )
    checkColumns(described, merge.combine.stars, context.state.topology)
    const fields = described[0]?.fields ?? []
    const compare = rowOrder(merge.order, fields)
    if (!compare) return false
    const keyOf = firstKey(merge.order[0], fields)
    const sources = cursors.map((cursor, index) => new Source(cursor, firsts[index] as (typeof firsts)[number], keyOf))
    const visible = fields.slice(0, fields.length - merge.hidden)
    const reader = createRowReader(visible, context.state.parsers)
    const before = keyOf && merge.order[0] ? keyedOrder(sources, merge.order[0], compare) : plainOrder(sources, compare)
    let { offset: skip, limit: left } = merge
    let out: unknown[] = []
    const heap = sources.map((_, index) => index).filter((index) => (sources[index] as Source).hasRow)
    for (let i = Math.floor(heap.length / 2) - 1; i >= 0; i--) siftDown(heap, i, before)
    while (heap.length > 0 && left > 0) {
      const source = sources[heap[0] as number] as Source
      if (skip > 0) skip--
      else {
        out.push(reader.readObject(merge.hidden > 0 ? source.row.slice(0, visible.length) : source.row))
        left--
      }
      if (out.length === chunkSize) {
        yield { rows: out }
        out = []
      }
      if (!source.advance() && !(await source.refill())) {
        const last = heap.pop() as number
        if (heap.length === 0) break
        heap[0] = last
      }
      siftDown(heap, 0, before)
    }
    if (out.length > 0) yield { rows: out }
    return true
  } finally {
    stop()
    await Promise.all(cursors.map((cursor) => cursor.return?.()))
  }
}

type Before = (a: number, b: number) => boolean

function plainOrder(sources: readonly Source[], compare: (a: TextRow, b: TextRow) => number): Before {
  return (a, b) => {
    const order = compare((sources[a] as Source).row, (sources[b] as Source).row)
    return order < 0 || (order === 0 && a < b)
  }
}

/** Compares the first keys, parsed once per row, and the whole rows only where they are equal. */
function keyedOrder(sources: readonly Source[], first: OrderKey, compare: (a: TextRow, b: TextRow) => number): Before {
  const whole = plainOrder(sources, compare)
  const { descending } = first
  return (a, b) => {
    const x = (sources[a] as Source).key
    const y = (sources[b] as Source).key
    if (x === null || y === null || x === y) return whole(a, b)
    return x < y !== descending
  }
}

function firstKey(order: OrderKey | undefined, fields: StatementResult['fields']): ((row: TextRow) => Key) | undefined {
  if (!order) return undefined
  const position = order.position < 0 ? fields.length + order.position : order.position
  const keyOf = sortKeyOfType(fields[position]?.dataTypeID ?? 0)
  return keyOf && ((row) => (row[position] === null ? null : keyOf(row[position] as string)))
}
