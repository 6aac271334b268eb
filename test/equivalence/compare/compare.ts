import type { Query } from '../code.ts'
import { type Leeway, open, rowText, strict, valueText } from './values.ts'

export type Answer =
  | { readonly kind: 'rows'; readonly rows: readonly unknown[] }
  | { readonly kind: 'error'; readonly error: Error; readonly code: string | undefined; readonly refused: boolean }

/** What the query leaves open. */
export interface Openness {
  readonly total: boolean
  readonly limited: boolean
  /** Outputs that the rows are sorted by, as far as they show it. */
  readonly order: readonly string[]
  readonly leeway: Leeway
}

const limiting = new Set(['limit', 'offset', 'fetch', 'fetch with ties'])
const grouping = new Set([
  'distinct', 'distinct on', 'group by', 'group by hidden', 'min/max', 'union', 'intersect', 'except', 'grouping sets',
  'ordered-set', 'array_agg', 'string_agg', 'jsonb_agg', 'json_agg', 'statistics', 'sum', 'avg', 'sum distinct', 'filter',
  'window', 'over aggregates', 'raw aggregate', 'count distinct', 'intersectAll', 'exceptAll',
])

export function opennessOf(query: Query, tags: ReadonlySet<string>): Openness {
  const sorting = query.steps.filter(({ tag }) => tag.startsWith('order by') || tag === 'distinct on')
  const order: string[] = []
  for (const { output } of sorting) {
    if (output === undefined) break
    order.push(output)
  }
  return {
    total: sorting.some(({ total }) => total === true),
    limited: query.steps.some(({ tag }) => limiting.has(tag)),
    order,
    leeway: [...tags].some((tag) => grouping.has(tag)) ? open : strict,
  }
}

/** Why the router's rows are not an answer that one PostgreSQL may give; `undefined` when they are. */
export function difference(expected: readonly unknown[], actual: readonly unknown[], openness: Openness): string | undefined {
  const { leeway } = openness
  const texts = (rows: readonly unknown[], own: Leeway): string[] => rows.map((row) => rowText(row, own))
  const [left, right] = [texts(expected, strict), texts(actual, strict)]
  if (expected.length !== actual.length) return `${actual.length} rows instead of ${expected.length}`
  if (openness.total) {
    if (sameSequence(left, right)) return undefined
    if (leeway !== strict && sameSequence(texts(expected, leeway), texts(actual, leeway))) return undefined
    return firstDifference(left, right)
  }
  for (const name of openness.order) {
    const [a, b] = [expected, actual].map((rows) => rows.map((row) => valueText((row as Record<string, unknown>)[name], leeway)))
    if (!sameSequence(a as string[], b as string[])) return `not in the order of ${name}: ${firstDifference(a as string[], b as string[])}`
    // Rows equal in the first may come in any order, so what the second shows is open.
    break
  }
  if (sameSequence(left.toSorted(), right.toSorted())) return undefined
  if (leeway !== strict && sameSequence(texts(expected, leeway).sort(), texts(actual, leeway).sort())) return undefined
  return firstDifference(left.toSorted(), right.toSorted())
}

/** Rows of a LIMIT without a total order: each must be one of the rows without LIMIT. */
export function isPossible(all: readonly unknown[], actual: readonly unknown[], leeway: Leeway): boolean {
  const left = new Map<string, number>()
  for (const row of all) {
    const text = rowText(row, leeway)
    left.set(text, (left.get(text) ?? 0) + 1)
  }
  return actual.every((row) => {
    const text = rowText(row, leeway)
    const count = left.get(text) ?? 0
    left.set(text, count - 1)
    return count > 0
  })
}

function sameSequence(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, index) => text === right[index])
}

function firstDifference(left: readonly string[], right: readonly string[]): string {
  const index = left.findIndex((text, at) => text !== right[at])
  return `row ${index + 1}\n    one PostgreSQL: ${left[index]}\n    the router:     ${right[index]}`
}
