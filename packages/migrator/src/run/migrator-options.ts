import { hostname, userInfo } from 'node:os'
import {
  type AnyTopology,
  type Clock,
  type Fleet,
  noTelemetry,
  type Schema,
  systemClock,
  type Telemetry,
} from '@shardwright/core'
import { z } from 'zod'
import { MigrationError } from '../errors/migration-error.ts'
import type { KyselyProvider, MigrationSource } from '../migration/migration-source.ts'
import { checkedOptions } from './checked-options.ts'

/** What `createMigrator` takes. */
export interface MigratorOptions {
  readonly fleet: Fleet
  /** A folder of files, the migrations themselves, or a provider made for Kysely's own migrator. */
  readonly migrations: MigrationSource
  /** Placements: for the helpers and the sharding rules of the linter. */
  readonly schema?: Schema | undefined
  /** For ownership checks; on Citus the helpers need it, and each migration runs once, on the coordinator. */
  readonly topology?: AnyTopology | undefined
  /** How long one statement waits for a lock before the attempt is given up. Default 4,000. 0 waits for ever. */
  readonly lockTimeoutMs?: number | undefined
  /** How often a migration that met a lock timeout is tried again. Default 5. */
  readonly lockRetries?: number | undefined
  /** How long one statement inside a transaction may run. Default 60,000. Outside one there is no limit by default. */
  readonly statementTimeoutMs?: number | undefined
  /** How long to wait for another deployer. Default 0: leave at once with MIGRATION_LOCKED. */
  readonly lockWaitMs?: number | undefined
  /** Recorded with each migration. Default: user@host. */
  readonly appliedBy?: string | undefined
  readonly clock?: Clock | undefined
  readonly telemetry?: Telemetry | undefined
}

export interface ResolvedMigratorOptions {
  readonly fleet: Fleet
  readonly migrations: MigrationSource
  readonly schema: Schema | undefined
  readonly topology: AnyTopology | undefined
  readonly lockTimeoutMs: number
  readonly lockRetries: number
  readonly statementTimeoutMs: number
  readonly lockWaitMs: number
  readonly appliedBy: string
  readonly clock: Clock
  readonly telemetry: Telemetry
}

const milliseconds = z.int().min(0).max(2_147_483_647)

const shape = z.object({
  lockTimeoutMs: milliseconds,
  lockRetries: z.int().min(0).max(1000),
  statementTimeoutMs: milliseconds,
  lockWaitMs: milliseconds,
  appliedBy: z.string().min(1).max(200),
  migrations: z.union([
    z.string().min(1),
    z.array(z.object({ name: z.string(), checksum: z.string() })),
    z.custom((value) => typeof (value as KyselyProvider | null)?.getMigrations === 'function', 'or a provider'),
  ]),
})

/** Every default of the migrator stands here. */
export function resolveMigratorOptions(options: MigratorOptions): ResolvedMigratorOptions {
  const resolved: ResolvedMigratorOptions = {
    fleet: options.fleet,
    migrations: options.migrations,
    schema: options.schema,
    topology: options.topology,
    lockTimeoutMs: options.lockTimeoutMs ?? 4_000,
    lockRetries: options.lockRetries ?? 5,
    statementTimeoutMs: options.statementTimeoutMs ?? 60_000,
    lockWaitMs: options.lockWaitMs ?? 0,
    appliedBy: options.appliedBy ?? whoRuns(),
    clock: options.clock ?? systemClock,
    telemetry: options.telemetry ?? noTelemetry,
  }
  return checkedOptions(resolved, shape, invalidOptions)
}

export function invalidOptions(problem: string): MigrationError {
  return new MigrationError({
    code: 'INVALID_OPTIONS',
    message: `The migrator cannot work with these options: ${problem}`,
    hint: 'Durations are whole milliseconds; waves are counts, percentages or "all".',
  })
}

function whoRuns(): string {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    // A container may run under a uid without a name.
    return `uid-${process.getuid?.() ?? 'unknown'}@${hostname()}`
  }
}
