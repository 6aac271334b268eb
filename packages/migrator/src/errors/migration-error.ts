import { ShardwrightError } from '@shardwright/core'

/**
 * Everything that keeps a migration from running, or that stopped it half-way; see `migratorErrorCodes`.
 *
 * @example
 * try { await migrator.up() } catch (error) {
 *   if (error instanceof MigrationError && error.code === 'MIGRATION_LOCKED') console.log(error.hint)
 * }
 */
export class MigrationError extends ShardwrightError {}
