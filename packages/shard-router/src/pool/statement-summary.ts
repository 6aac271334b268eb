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
  String.raw`\b(?:from|into|update|table|using)\s+(?:only\s+)?((?:${identifier}\.)?${identifier})`,
  'i',
)

export function statementSummary(sql: string): StatementSummary {
  const operation = (/^[\s(]*([a-z]+)/i.exec(sql)?.[1] ?? 'statement').toUpperCase()
  const target = (table.exec(sql)?.[1] ?? '').replaceAll('"', '')
  return { operation, target, summary: target === '' ? operation : `${operation} ${target}` }
}
