import { withoutValues } from './sanitized-sql.ts'

/** A statement in a few words of low cardinality, as `db.query.summary` has it. */
export interface StatementSummary {
  readonly operation: string
  /** The first table; '' when there is none. */
  readonly target: string
  /** E.g. `SELECT wallets`. */
  readonly summary: string
}

const identifier = String.raw`(?:"(?:[^"]|"")+"|[a-z_][\w$]*)`
const table = new RegExp(
  String.raw`\b(from|into|update|table|using)\s+(?:only\s+|if\s+(?:not\s+)?exists\s+)?((?:${identifier}\.)?${identifier})(\s*[(§])?`,
  'gi',
)

// `from (select ...) as x` names no table.
const noTable = /^(?:as|lateral|select|values)$/i

const innermost = /\([^()]*\)/g

export function statementSummary(sql: string): StatementSummary {
  const text = withoutValues(sql)
  const operation = (/^[\s(]*([a-z]+)/i.exec(text)?.[1] ?? 'statement').toUpperCase()
  // `extract(year from day)` names no table.
  const target = (tableIn(outermost(text)) ?? tableIn(text) ?? '').replaceAll('"', '')
  return { operation, target, summary: target === '' ? operation : `${operation} ${target}` }
}

function tableIn(text: string): string | undefined {
  for (const [, clause = '', name = '', parenthesis] of text.matchAll(table)) {
    // `from unnest(...)` calls a function, `into wallets (id)` does not.
    const isCall = parenthesis !== undefined && /^(?:from|using)$/i.test(clause)
    if (!isCall && !noTable.test(name)) return name
  }
  return undefined
}

function outermost(text: string): string {
  const less = text.replace(innermost, ' § ')
  return less === text ? text : outermost(less)
}
