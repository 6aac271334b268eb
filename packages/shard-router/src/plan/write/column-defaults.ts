import type { OperationNode } from 'kysely'
import type { Catalog, CatalogColumn } from '../catalog.ts'
import { bindClock } from '../clock.ts'
import { rawNode } from '../decompose/nodes.ts'
import { independent } from '../independent-functions.ts'

/**
 * What several shards make of a column that is left to its default: `alike`, the same value; `clock`, moments that differ
 * where one PostgreSQL has one; `apart`, a value of its own for each row, as it should be; `shared`, what only one
 * PostgreSQL can count or know (sequences, volatile functions).
 */
export type DefaultKind = 'alike' | 'clock' | 'apart' | 'shared'

export function defaultKind({ identity, generated, defaultSql }: CatalogColumn, catalog: Catalog): DefaultKind {
  if (identity !== undefined) return 'shared'
  if (generated || defaultSql === undefined) return 'alike'
  if (momentLiteral.test(defaultSql)) return 'shared'
  const text = withoutStrings(defaultSql)
  const volatile = calledIn(text).filter((name) => catalog.functionTraits(name)?.volatility === 'volatile')
  if (volatile.some((name) => name !== 'clock_timestamp' && !independent.has(name))) return 'shared'
  if (clock.test(text)) return boundDefault(defaultSql) === undefined ? 'shared' : 'clock'
  return volatile.length > 0 ? 'apart' : 'alike'
}

/** True for a default that a sequence gives. */
export function takesSequence({ identity, defaultSql }: CatalogColumn): boolean {
  return identity !== undefined || /\bnextval\(/.test(defaultSql ?? '')
}

/** The default with the moments of the statement in place of the clock's; `undefined` when it asks no clock that is known. */
export function boundDefault(defaultSql: string): OperationNode | undefined {
  // The clock of each row: any moment of the statement is one that it may have shown.
  const ofStatement = defaultSql.replaceAll(stringOrClock, (found) =>
    found.startsWith("'") ? found : 'statement_timestamp()',
  )
  const node = rawNode([`(${ofStatement})`], [])
  const bound = bindClock(node)
  return bound === node ? undefined : bound
}

const stringOrClock = /'(?:[^']|'')*'|\bclock_timestamp\(\)/gi

const clock =
  /\b(now|transaction_timestamp|statement_timestamp|clock_timestamp)\(\)|\bcurrent_(timestamp|date|time)\b|\blocaltime/i

/** `'now'::text::date`, as PostgreSQL before version 10 wrote `current_date`. */
const momentLiteral = /'(now|today|tomorrow|yesterday)'/i

function withoutStrings(sql: string): string {
  return sql.replaceAll(/'(?:[^']|'')*'/g, "''")
}

/** Names of the functions that an expression calls, without their schemas. */
function calledIn(text: string): string[] {
  return [...text.matchAll(/([a-z_][\w$]*|"(?:[^"]|"")+")\s*\(/gi)].map(([, name = '']) =>
    name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase(),
  )
}
