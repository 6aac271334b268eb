import type { Kysely } from 'kysely'
import { defineMigration } from './define-migration.ts'
import type { Migration } from './migration.ts'
import { assertUniqueNames, readMigrationFolder } from './migration-folder.ts'
import { compareNames } from './migration-name.ts'

/** Where migrations come from. */
export type MigrationSource = string | readonly Migration[] | KyselyProvider

/** Kysely's `MigrationProvider`: the migrations of an application that used one database run here as they are. */
export interface KyselyProvider {
  getMigrations(): Promise<Readonly<Record<string, KyselyMigration>>>
}

interface KyselyMigration {
  up(db: Kysely<unknown>): Promise<void>
  down?(db: Kysely<unknown>): Promise<void>
}

/** The migrations of a source, in name order. */
export async function readMigrations(source: MigrationSource): Promise<readonly Migration[]> {
  if (typeof source === 'string') return await readMigrationFolder(source)
  const migrations = 'getMigrations' in source ? fromKysely(await source.getMigrations()) : source
  assertUniqueNames(migrations)
  return [...migrations].sort((a, b) => compareNames(a.name, b.name))
}

function fromKysely(migrations: Readonly<Record<string, KyselyMigration>>): readonly Migration[] {
  return Object.entries(migrations).map(([name, migration]) =>
    defineMigration({
      name,
      source: `${migration.up}\n${migration.down ?? ''}`,
      up: (db) => migration.up(db),
      ...(migration.down && { down: (db: Kysely<unknown>) => migration.down?.(db) ?? Promise.resolve() }),
    }),
  )
}
