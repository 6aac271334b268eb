import { CompiledQuery, type Kysely } from 'kysely'
import { MigrationError } from '../errors/migration-error.ts'
import { isSyntaxError, loadSqlParser, type ParsedStatement, parseSql } from '../sql/parse-sql.ts'
import { checksumOf } from './checksum.ts'
import type { Migration } from './migration.ts'
import { assertMigrationName } from './migration-name.ts'
import { readSqlDirectives } from './sql-directives.ts'

/**
 * Makes a migration of a SQL script. Its syntax is checked by PostgreSQL's own parser before any shard is touched.
 *
 * @throws MigrationError INVALID_MIGRATION
 * @example
 * const migration = await sqlMigration('0003_note', 'alter table wallets add column note text')
 */
export async function sqlMigration(name: string, source: string): Promise<Migration> {
  assertMigrationName(name)
  await loadSqlParser()
  const sections = readSqlDirectives(name, source)
  const up = statementsOf(name, 'up', sections.up)
  const down = sections.down === undefined ? undefined : statementsOf(name, 'down', sections.down)
  if (up.length === 0) throw invalid(name, 'has no statement in its up part')
  return Object.freeze({
    name,
    up: (db: Kysely<unknown>) => runAll(db, up),
    down: down && ((db: Kysely<unknown>) => runAll(db, down)),
    transaction: sections.transaction,
    lockTimeoutMs: sections.lockTimeoutMs,
    statementTimeoutMs: sections.statementTimeoutMs,
    allow: Object.freeze(sections.allow),
    checksum: checksumOf(source),
  })
}

async function runAll(db: Kysely<unknown>, statements: readonly ParsedStatement[]): Promise<void> {
  for (const { text } of statements) await db.executeQuery(CompiledQuery.raw(text))
}

function statementsOf(name: string, part: string, script: string): readonly ParsedStatement[] {
  const result = parseSql(script)
  if (isSyntaxError(result))
    throw invalid(name, `does not parse in its ${part} part, line ${result.line}: ${result.message}`)
  return result
}

function invalid(name: string, what: string): MigrationError {
  return new MigrationError({
    code: 'INVALID_MIGRATION',
    message: `The migration ${name} ${what}.`,
    hint: 'Nothing has been run. psql commands (\\i, \\copy) are not SQL and are not accepted.',
    details: { migration: name },
  })
}
