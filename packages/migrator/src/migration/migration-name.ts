import { MigrationError } from '../errors/migration-error.ts'

const pattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/

/** Names sort, become file names and appear in reports: plain characters only. */
export function assertMigrationName(name: string): void {
  if (pattern.test(name)) return
  throw new MigrationError({
    code: 'INVALID_MIGRATION',
    message: `${JSON.stringify(name)} cannot be the name of a migration.`,
    hint: 'Use letters, digits, dots, dashes and underscores, e.g. 2026-11-20-1200_create_wallets.',
  })
}

/** Code unit order: the same on every machine, whatever its locale. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
