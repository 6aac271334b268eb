import type { Schema } from '@shardwright/core'
import { isSyntaxError, loadSqlParser, type ParsedStatement, parseSql } from '../sql/parse-sql.ts'
import { blockStatements } from './block-statements.ts'
import type { Finding } from './finding.ts'
import { LintContext } from './lint-context.ts'
import { lintRules } from './lint-rules.ts'

export interface LintTarget {
  readonly migration: string
  readonly transaction: boolean
  readonly allow: readonly string[]
}

/**
 * Lints one script as if it were a migration.
 *
 * @example
 * const findings = await lintSql('create index on wallets (balance)', { schema })
 */
export async function lintSql(
  script: string,
  options: {
    readonly schema?: Schema | undefined
    readonly transaction?: boolean
    readonly allow?: readonly string[]
  } = {},
): Promise<readonly Finding[]> {
  await loadSqlParser()
  const transaction = options.transaction ?? true
  const target = { migration: 'sql', transaction, allow: options.allow ?? [] }
  return lintStatements([script], target, new LintContext(options.schema, transaction))
}

/** Lints the statements of one migration, in order; `context` learns which tables they create. */
export function lintStatements(sqls: readonly string[], target: LintTarget, context: LintContext): readonly Finding[] {
  const findings: Finding[] = []
  let number = 0
  for (const sql of sqls) {
    const parsed = parseSql(sql)
    if (isSyntaxError(parsed)) {
      findings.push(unreadable(sql, target, ++number, parsed.message))
      continue
    }
    for (const statement of parsed) findings.push(...lintStatement(statement, target, context, ++number))
  }
  return findings
}

function lintStatement(
  statement: ParsedStatement,
  target: LintTarget,
  context: LintContext,
  number: number,
): readonly Finding[] {
  if (statement.kind === 'DoStmt') return lintBlock(statement, target, context, number)
  const findings = lintRules.flatMap((rule) =>
    rule.check(statement, context).map(
      (problem): Finding =>
        Object.freeze({
          ...problem,
          severity: problem.lock && context.isPerhapsNew(problem.table) ? 'warning' : problem.severity,
          rule: rule.name,
          migration: target.migration,
          statement: number,
          sql: oneLine(statement.text),
        }),
    ),
  )
  const { kind, node } = statement
  if (kind === 'CreateStmt') context.markCreated(node.relation, node.if_not_exists === true)
  if (kind === 'CreateTableAsStmt')
    context.markCreated((node.into as { rel?: unknown } | undefined)?.rel, node.if_not_exists === true)
  if (kind === 'SelectStmt') context.markCreated((node.intoClause as { rel?: unknown } | undefined)?.rel, false)
  if (kind === 'CreateDomainStmt') context.markCreatedDomain(node.domainname)
  return findings.filter((finding) => !target.allow.includes(finding.rule))
}

/** What a DO block runs counts as if the migration ran it. */
function lintBlock(
  block: ParsedStatement,
  target: LintTarget,
  context: LintContext,
  number: number,
): readonly Finding[] {
  const { statements, hidden } = blockStatements(block.node)
  const findings = statements.flatMap((statement) => lintStatement(statement, target, context, number))
  if (hidden !== undefined && !target.allow.includes('unreadable')) {
    findings.push(unreadable(block.text, target, number, hidden))
  }
  return findings
}

function unreadable(sql: string, target: LintTarget, statement: number, message: string): Finding {
  return Object.freeze({
    rule: 'unreadable',
    severity: 'warning',
    migration: target.migration,
    statement,
    sql: oneLine(sql),
    message: `the linter cannot read this statement: ${message}`,
    remedy: 'Check it by hand; the parser knows PostgreSQL 18.',
  })
}

function oneLine(sql: string): string {
  const line = sql
    .replace(/--[^\n]*/g, '')
    .replace(/\s+/g, ' ')
    .trim()
  return line.length > 120 ? `${line.slice(0, 117)}...` : line
}
