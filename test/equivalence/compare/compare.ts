import type { Query } from '../code.ts'
import { isInexact, type Open } from '../world/columns.ts'
import { floatDigits, type Leeway, rowText, valueText } from './values.ts'

export type Answer =
  | { readonly kind: 'rows'; readonly rows: readonly unknown[] }
  | { readonly kind: 'error'; readonly error: Error; readonly code: string | undefined; readonly refused: boolean }

/** What the query leaves open. */
export interface Openness {
  readonly total: boolean
  readonly limited: boolean
  /** Outputs that the rows are sorted by, as far as they show it. */
  readonly order: readonly string[]
  /** By output: every other one must be the same to the last digit. */
  readonly open: ReadonlyMap<string, Open>
}

const limiting = new Set(['limit', 'offset', 'fetch', 'fetch with ties'])

export function opennessOf(query: Query, open: ReadonlyMap<string, Open>): Openness {
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
    open,
  }
}

/** At the edge of one rounding of a float, another one decides. */
function leewaysOf({ open }: Openness): readonly Leeway[] {
  const floats = [...open.values()].some(isInexact)
  return floats ? floatDigits.map((digits) => ({ open, digits })) : [{ open, digits: floatDigits[0] }]
}

/** Why the router's rows are not an answer that one PostgreSQL may give; `undefined` when they are. */
export function difference(
  expected: readonly unknown[],
  actual: readonly unknown[],
  openness: Openness,
): string | undefined {
  if (expected.length !== actual.length) return `${actual.length} rows instead of ${expected.length}`
  let why: string | undefined
  for (const leeway of leewaysOf(openness)) {
    why = differenceWith(expected, actual, openness, leeway)
    if (why === undefined) return undefined
  }
  return why
}

function differenceWith(
  expected: readonly unknown[],
  actual: readonly unknown[],
  openness: Openness,
  leeway: Leeway,
): string | undefined {
  const [left, right] = [expected, actual].map((rows) => rows.map((row) => rowText(row, leeway))) as [
    string[],
    string[],
  ]
  if (openness.total) return firstDifference(left, right)
  // Rows equal in the first output may come in any order, so only the first shows the order.
  const [name] = openness.order
  if (name !== undefined) {
    const [a, b] = [expected, actual].map((rows) =>
      rows.map((row) => valueText((row as Record<string, unknown>)[name], openness.open.get(name), leeway.digits)),
    ) as [string[], string[]]
    const wrong = firstDifference(a, b)
    if (wrong) return `not in the order of ${name}: ${wrong}`
  }
  return firstDifference(left.sort(), right.sort())
}

/** Rows of a LIMIT without a total order: each must be one of the rows without LIMIT. */
export function isPossible(all: readonly unknown[], actual: readonly unknown[], openness: Openness): boolean {
  return leewaysOf(openness).some((leeway) => {
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
  })
}

function firstDifference(left: readonly string[], right: readonly string[]): string | undefined {
  const index = left.findIndex((text, at) => text !== right[at])
  if (index < 0) return undefined
  return `row ${index + 1}\n    one PostgreSQL: ${left[index]}\n    the router:     ${right[index]}`
}
