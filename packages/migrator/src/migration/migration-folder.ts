import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { MigrationError } from '../errors/migration-error.ts'
import { defineMigration } from './define-migration.ts'
import type { Migration, MigrationInput } from './migration.ts'
import { compareNames } from './migration-name.ts'
import { sqlMigration } from './sql-migration.ts'

const extensions = ['.sql', '.ts', '.mts', '.js', '.mjs']
// Names that begin with a dot are what editors and file systems leave beside a file.
const ignored = /^\.|(\.d\.[mc]?ts|\.test\.[mc]?[tj]s|\.map)$/

/**
 * Reads a folder of `.ts`, `.js` and `.sql` migrations in name order. TypeScript is loaded by Node itself.
 *
 * @throws MigrationError MIGRATION_FOLDER_UNREADABLE, INVALID_MIGRATION, DUPLICATE_MIGRATION
 * @example
 * const migrations = await readMigrationFolder('migrations')
 */
export async function readMigrationFolder(folder: string): Promise<readonly Migration[]> {
  const files = await listFiles(folder)
  const migrations: Migration[] = []
  for (const file of files) migrations.push(await readMigrationFile(path.resolve(folder, file)))
  migrations.sort((a, b) => compareNames(a.name, b.name))
  assertUniqueNames(migrations)
  return Object.freeze(migrations)
}

/** Two files of one name (`0001.sql`, `0001.ts`) would fight for one row of the state. */
export function assertUniqueNames(migrations: readonly Migration[]): void {
  const seen = new Set<string>()
  for (const { name } of migrations) {
    if (seen.has(name)) {
      throw new MigrationError({
        code: 'DUPLICATE_MIGRATION',
        message: `There are two migrations named ${name}.`,
        hint: 'Rename the one that has not run anywhere.',
        details: { migration: name },
      })
    }
    seen.add(name)
  }
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile() && extensions.includes(path.extname(entry.name)) && !ignored.test(entry.name))
      .map((entry) => entry.name)
  } catch (cause) {
    throw new MigrationError({
      code: 'MIGRATION_FOLDER_UNREADABLE',
      message: `The folder of migrations ${folder} cannot be read.`,
      hint: 'Create it, or correct `migrations.folder` in shardwright.config.ts.',
      details: { folder },
      cause,
    })
  }
}

async function readMigrationFile(file: string): Promise<Migration> {
  const name = path.basename(file, path.extname(file))
  const source = await readFile(file, 'utf8')
  if (file.endsWith('.sql')) return await sqlMigration(name, source)
  return defineMigration({ ...(await importModule(name, file)), name, source })
}

const isFunction = z.custom<MigrationInput<unknown>['up']>((value) => typeof value === 'function', 'must be a function')

const moduleShape = z.object({
  up: isFunction,
  down: isFunction.optional(),
  transaction: z.boolean().optional(),
  lockTimeoutMs: z.int().min(0).optional(),
  statementTimeoutMs: z.int().min(0).optional(),
  allow: z.array(z.string()).readonly().optional(),
})

async function importModule(name: string, file: string): Promise<Omit<MigrationInput<unknown>, 'name' | 'source'>> {
  const parsed = moduleShape.safeParse({ ...(await importFile(name, file)) })
  if (!parsed.success) throw invalid(name, z.prettifyError(parsed.error))
  const { up, down, ...settings } = parsed.data
  return { ...withoutUndefined(settings), up, ...(down && { down }) }
}

async function importFile(name: string, file: string): Promise<object> {
  try {
    return (await import(pathToFileURL(file).href)) as object
  } catch (cause) {
    throw invalid(name, `cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

function invalid(name: string, problem: string, cause?: unknown): MigrationError {
  return new MigrationError({
    code: 'INVALID_MIGRATION',
    message: `The migration ${name} is not usable: ${problem}`,
    hint: 'A module exports `up(db, context)`, and if wanted `down`, `transaction`, `lockTimeoutMs`, `statementTimeoutMs`, `allow`.',
    details: { migration: name },
    cause,
  })
}
