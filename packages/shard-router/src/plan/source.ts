import type { LookupKeys } from './key/key-set.ts'

/** Where a parameter of a rewritten statement comes from, resolved anew on each call. */
export type Source =
  | { readonly from: 'parameter'; readonly index: number }
  | { readonly from: 'constant'; readonly value: unknown }
  /** limit + offset, for a LIMIT that is pushed to the shards. */
  | { readonly from: 'sum'; readonly parts: readonly Source[] }
  /** The key of `router.for(key)`. */
  | { readonly from: 'confined-key' }
  /** A moment of the statement, one for all shards. */
  | { readonly from: 'moment'; readonly of: keyof Moment }

/** The moments of a statement as PostgreSQL's text: `now()` and `statement_timestamp()`. */
export interface Moment {
  readonly transaction: string
  readonly statement: string
}

/** What the lookups of a call led to. */
export interface LookupAnswers {
  /** Keys as PostgreSQL's text; `all` when the lookup was not asked. */
  keysOf(set: LookupKeys): readonly string[] | 'all'
}

/** The values of one call. */
export interface CallValues {
  readonly parameters: readonly unknown[]
  readonly confinedKey?: unknown
  /** Read before a statement that goes to several shards needs it. */
  readonly moment?: Moment
  readonly lookups?: LookupAnswers
}

export function resolveSource(source: Source, call: CallValues): unknown {
  switch (source.from) {
    case 'parameter':
      return call.parameters[source.index]
    case 'constant':
      return source.value
    case 'confined-key':
      return call.confinedKey
    case 'moment':
      return call.moment?.[source.of]
    case 'sum':
      return sum(source.parts.map((part) => resolveSource(part, call)))
  }
}

/** NULL (no limit) stays NULL; otherwise exact, as text. What is below zero is refused where the rows meet. */
function sum(values: readonly unknown[]): string | null {
  let total = 0n
  for (const value of values) {
    const count = toCount(value)
    if (count === null) return null
    if (count > 0n) total += count
  }
  return (total > maxCount ? maxCount : total).toString()
}

/** The largest bigint: no result has more rows. */
const maxCount = 2n ** 63n - 1n

/** A LIMIT or OFFSET value as PostgreSQL reads it; `null` for NULL. @throws RangeError when it is no whole bigint. */
export function toCount(value: unknown): bigint | null {
  if (value === null || value === undefined) return null
  const count = wholeNumber(value)
  if (count > maxCount || count < -maxCount - 1n)
    throw new RangeError('LIMIT and OFFSET must be in the range of bigint')
  return count
}

function wholeNumber(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError('LIMIT and OFFSET must be finite')
    // A bigint parameter refuses '1.5'; a literal is rounded by the server. Only whole numbers are the same for both.
    if (!Number.isInteger(value)) throw new RangeError('LIMIT and OFFSET must be whole numbers')
    return BigInt(value)
  }
  if (typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value)) return BigInt(value.trim())
  throw new RangeError('LIMIT and OFFSET must be whole numbers')
}
