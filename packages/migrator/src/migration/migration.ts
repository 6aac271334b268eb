import type { Kysely } from 'kysely'
import type { MigrationContext } from './migration-context.ts'

/**
 * One step of the schema, run once on every shard. A superset of Kysely's own `Migration`.
 *
 * @example
 * export const transaction = false            // for CREATE INDEX CONCURRENTLY
 * export async function up(db: Kysely<any>) { await sql`create index concurrently ...`.execute(db) }
 */
export interface Migration {
  readonly name: string
  up(db: Kysely<unknown>, context: MigrationContext): Promise<void>
  down?: ((db: Kysely<unknown>, context: MigrationContext) => Promise<void>) | undefined
  /** False for statements that PostgreSQL refuses inside a transaction. Default true. */
  readonly transaction: boolean
  /** Overrides of the migrator's defaults for this migration. */
  readonly lockTimeoutMs?: number | undefined
  readonly statementTimeoutMs?: number | undefined
  /** Lint rules that this migration may break, by name. */
  readonly allow: readonly string[]
  /** sha256 of the source, hex. */
  readonly checksum: string
}

export interface MigrationInput<Database> {
  readonly name: string
  up(db: Kysely<Database>, context: MigrationContext): Promise<void>
  down?: (db: Kysely<Database>, context: MigrationContext) => Promise<void>
  readonly transaction?: boolean
  readonly lockTimeoutMs?: number
  readonly statementTimeoutMs?: number
  readonly allow?: readonly string[]
  /** The text that the checksum covers; the functions' own source by default. */
  readonly source?: string
}
