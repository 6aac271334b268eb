import { MigrationError } from '../errors/migration-error.ts'
import type { Migration } from '../migration/migration.ts'
import { recordMigration } from '../run/dry-run.ts'
import type { ResolvedMigratorOptions } from '../run/migrator-options.ts'
import { loadSqlParser } from '../sql/parse-sql.ts'
import type { Finding } from './finding.ts'
import { LintContext } from './lint-context.ts'
import { lintStatements } from './lint-sql.ts'

/** Lints migrations in the order in which they will run, from the SQL that they would send. Touches no server. */
export async function lintMigrations(
  migrations: readonly Migration[],
  options: Pick<ResolvedMigratorOptions, 'schema' | 'topology' | 'fleet'>,
): Promise<readonly Finding[]> {
  await loadSqlParser()
  const shard = options.fleet.shards[0]
  let context = new LintContext(options.schema)
  const findings: Finding[] = []
  for (const migration of migrations) {
    context = context.next(migration.transaction)
    const target = { migration: migration.name, transaction: migration.transaction, allow: migration.allow }
    const { statements, incomplete } = await recordMigration(migration, 'up', shard?.id ?? '', options)
    findings.push(
      ...lintStatements(
        statements.map((statement) => statement.sql),
        target,
        context,
      ),
    )
    if (incomplete !== undefined && !migration.allow.includes('unreadable'))
      findings.push(partlyRead(migration, incomplete))
  }
  return findings
}

/** @throws MigrationError MIGRATION_UNSAFE */
export function refuseUnsafe(findings: readonly Finding[]): void {
  const errors = findings.filter((finding) => finding.severity === 'error')
  const [first] = errors
  if (!first) return
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  throw new MigrationError({
    code: 'MIGRATION_UNSAFE',
    message: `${first.migration}, statement ${first.statement}: ${first.message}${more}.`,
    hint: `${first.remedy} To run it all the same, allow the rule in the migration: allow = ['${first.rule}'] (SQL: -- shardwright: allow=${first.rule}).`,
    details: { findings: errors },
  })
}

function partlyRead(migration: Migration, reason: string): Finding {
  return Object.freeze({
    rule: 'unreadable',
    severity: 'warning',
    migration: migration.name,
    statement: 0,
    sql: '',
    message: `the migration reads rows and could only be read in part: ${reason}`,
    remedy: 'Check its later statements by hand.',
  })
}
