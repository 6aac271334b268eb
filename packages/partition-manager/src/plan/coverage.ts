import type { Period } from '../calendar/calendar.ts'
import type { Position } from '../calendar/position.ts'
import type { Range } from './wanted.ts'

interface Span {
  readonly lower: Position | undefined
  readonly upper: Position | undefined
}

/** What is covered already, as disjoint spans in order: asked for each of thousands of periods. */
export class Coverage {
  readonly #spans: readonly Span[]

  constructor(ranges: readonly Range[]) {
    this.#spans = merged(ranges)
  }

  /** The parts of a period that nothing covers yet, in order. */
  uncovered(period: Period): readonly Period[] {
    const open: Period[] = []
    let from = period.from
    for (let at = this.#firstEndingAfter(period.from); at < this.#spans.length; at++) {
      const { lower, upper } = this.#spans[at] as Span
      if (lower !== undefined && lower >= period.to) break
      if (lower !== undefined && lower > from) open.push({ from, to: lower })
      if (upper === undefined || upper >= period.to) return open
      from = upper
    }
    return [...open, { from, to: period.to }]
  }

  #firstEndingAfter(position: Position): number {
    let low = 0
    let high = this.#spans.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const { upper } = this.#spans[middle] as Span
      if (upper === undefined || upper > position) high = middle
      else low = middle + 1
    }
    return low
  }
}

function merged(ranges: readonly Range[]): readonly Span[] {
  const spans: Span[] = []
  for (const range of [...ranges].sort(byLower)) {
    const last = spans.at(-1)
    if (last && touches(last, range))
      spans[spans.length - 1] = { lower: last.lower, upper: later(last.upper, range.upper) }
    else spans.push(range)
  }
  return spans
}

function byLower(a: Range, b: Range): number {
  if (a.lower === b.lower) return 0
  if (a.lower === undefined) return -1
  if (b.lower === undefined) return 1
  return a.lower < b.lower ? -1 : 1
}

function touches(span: Span, next: Range): boolean {
  return span.upper === undefined || next.lower === undefined || next.lower <= span.upper
}

function later(a: Position | undefined, b: Position | undefined): Position | undefined {
  if (a === undefined || b === undefined) return undefined
  return a > b ? a : b
}
