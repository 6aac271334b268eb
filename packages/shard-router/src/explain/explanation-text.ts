import type { ExplainedPart, Explanation, Measured, ShardStatement } from './explanation.ts'

/** An explanation as text: shards and why, then each part with its statements, then the merge. */
export function explanationText(explanation: Omit<Explanation, 'toString'>): string {
  const { kind, shards, reason, keys, before, statements, merge, measured } = explanation
  return [
    `${kind}: ${shards.length > 0 ? shards.join(', ') : 'no shard'}${ofAll(measured)}`,
    `  because ${reason}`,
    ...keys.map((own) => `  keys of ${own.table}: ${own.keys} (${bucketText(own.buckets)})`),
    ...before.flatMap(partLines),
    ...statementLines(statements, '  '),
    ...merge.map((step) => `  then ${step}`),
  ].join('\n')
}

function partLines({ part, statements, merge }: ExplainedPart): string[] {
  return [`  first ${part}`, ...statementLines(statements, '    '), ...merge.map((step) => `    then ${step}`)]
}

/** Shards with the same statement share its line. */
function statementLines(statements: readonly ShardStatement[], indent: string): string[] {
  const bySql = new Map<string, ShardStatement[]>()
  for (const statement of statements) {
    const same = bySql.get(statement.sql)
    if (same) same.push(statement)
    else bySql.set(statement.sql, [statement])
  }
  return [...bySql].flatMap(([sql, own]) => [
    `${indent}sql: ${sql}`,
    ...own.filter(hasFigures).map((statement) => `${indent}  ${statement.shard}:${figures(statement)}`),
  ])
}

function hasFigures({ estimatedRows, measured }: ShardStatement): boolean {
  return estimatedRows !== undefined || measured !== undefined
}

function figures({ estimatedRows, measured }: ShardStatement): string {
  return `${estimatedRows === undefined ? '' : ` ${estimatedRows} rows estimated`}${ofAll(measured)}`
}

function ofAll(measured: Measured | undefined): string {
  return measured ? ` (${measured.rows} rows in ${measured.timeMs.toFixed(1)} ms)` : ''
}

function bucketText(buckets: readonly number[] | 'all'): string {
  if (buckets === 'all') return 'all buckets'
  if (buckets.length === 0) return 'no bucket'
  const shown = buckets.slice(0, 8).join(', ')
  return `bucket${buckets.length > 1 ? 's' : ''} ${shown}${buckets.length > 8 ? `, ... ${buckets.length} in all` : ''}`
}
