import type { Kysely } from 'kysely'
import { checksumOf } from './checksum.ts'
import type { Migration, MigrationInput } from './migration.ts'
import { assertMigrationName } from './migration-name.ts'

/**
 * A migration written in the program itself, not in a file.
 *
 * @throws MigrationError INVALID_MIGRATION
 * @example
 * const addNote = defineMigration<Database>({
 *   name: '0002_note',
 *   up: (db) => db.schema.alterTable('wallets').addColumn('note', 'text').execute(),
 *   down: (db) => db.schema.alterTable('wallets').dropColumn('note').execute(),
 * })
 */
export function defineMigration<Database = unknown>(input: MigrationInput<Database>): Migration {
  assertMigrationName(input.name)
  const { down } = input
  const source = input.source ?? `${input.up}\n${down ?? ''}\n${input.transaction ?? true}`
  return Object.freeze({
    name: input.name,
    up: (db: Kysely<unknown>, context) => input.up(db as unknown as Kysely<Database>, context),
    down: down && ((db: Kysely<unknown>, context) => down(db as unknown as Kysely<Database>, context)),
    transaction: input.transaction ?? true,
    lockTimeoutMs: input.lockTimeoutMs,
    statementTimeoutMs: input.statementTimeoutMs,
    allow: Object.freeze([...(input.allow ?? [])]),
    checksum: checksumOf(source),
  } satisfies Migration)
}
