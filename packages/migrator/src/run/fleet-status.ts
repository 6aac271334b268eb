import type { FleetShard, ShardwrightError } from '@shardwright/core'
import type { Migration } from '../migration/migration.ts'
import { compareNames } from '../migration/migration-name.ts'
import { type LockHolder, migrationLockHolder } from '../state/migration-lock.ts'
import type { MigrationRow, MigrationState } from '../state/migration-state.ts'
import { MigrationStore } from '../state/migration-store.ts'
import { inParallel } from './in-parallel.ts'
import type { ResolvedMigratorOptions } from './migrator-options.ts'
import { asError } from './open-sessions.ts'
import { applicationName } from './shard-session.ts'

/** Where every shard stands, migration by migration. */
export interface FleetStatus {
  readonly shards: readonly ShardStatus[]
  readonly migrations: readonly MigrationStatus[]
  /** True when every shard has answered and has every migration, unchanged. */
  readonly complete: boolean
}

export interface ShardStatus {
  readonly shard: string
  /** The last migration that is applied. */
  readonly at: string | undefined
  readonly pending: number
  readonly failed: number
  /** Someone is migrating it now. */
  readonly lockedBy: LockHolder | undefined
  /** It did not answer. */
  readonly error: ShardwrightError | undefined
}

export interface MigrationStatus {
  readonly name: string
  /** False when only shards know it: its file is gone. */
  readonly known: boolean
  readonly shards: readonly ShardMigrationStatus[]
}

export interface ShardMigrationStatus {
  readonly shard: string
  readonly state: MigrationState | 'pending' | 'unknown'
  /** The file differs from what was applied. */
  readonly changed: boolean
  readonly row: MigrationRow | undefined
}

interface Reading {
  readonly shard: string
  readonly rows?: ReadonlyMap<string, MigrationRow>
  readonly lockedBy?: LockHolder | undefined
  readonly error?: ShardwrightError
}

/** Reads every shard, takes no lock and creates nothing; a shard that is down is shown as such. */
export async function readFleetStatus(
  migrations: readonly Migration[],
  options: ResolvedMigratorOptions,
): Promise<FleetStatus> {
  const readings = await inParallel(options.fleet.shards, 8, (shard) => readShard(shard, options))
  const statuses = allNames(migrations, readings).map((name) => migrationStatus(name, migrations, readings))
  const complete = statuses.every(
    (status) => status.known && status.shards.every((cell) => cell.state === 'applied' && !cell.changed),
  )
  return Object.freeze({
    shards: readings.map((reading) => shardStatus(reading, statuses)),
    migrations: statuses,
    complete: complete && readings.every((reading) => !reading.error),
  })
}

async function readShard(shard: FleetShard, options: ResolvedMigratorOptions): Promise<Reading> {
  try {
    await using connection = await shard.connect({ applicationName })
    const rows = await new MigrationStore(connection, options.appliedBy).read()
    return { shard: shard.id, rows, lockedBy: await migrationLockHolder(connection) }
  } catch (error) {
    return { shard: shard.id, error: asError(shard.id, error) }
  }
}

function allNames(migrations: readonly Migration[], readings: readonly Reading[]): readonly string[] {
  const names = new Set(migrations.map((migration) => migration.name))
  for (const { rows } of readings) for (const name of rows?.keys() ?? []) names.add(name)
  return [...names].sort(compareNames)
}

function migrationStatus(
  name: string,
  migrations: readonly Migration[],
  readings: readonly Reading[],
): MigrationStatus {
  const migration = migrations.find((candidate) => candidate.name === name)
  const shards = readings.map(({ shard, rows }): ShardMigrationStatus => {
    const row = rows?.get(name)
    const changed = row?.state === 'applied' && migration !== undefined && row.checksum !== migration.checksum
    return { shard, state: rows ? (row?.state ?? 'pending') : 'unknown', changed, row }
  })
  return Object.freeze({ name, known: migration !== undefined, shards })
}

function shardStatus(reading: Reading, statuses: readonly MigrationStatus[]): ShardStatus {
  const cells = statuses.flatMap(({ name, known, shards }) =>
    shards.filter((cell) => cell.shard === reading.shard).map((cell) => ({ name, known, state: cell.state })),
  )
  return Object.freeze({
    shard: reading.shard,
    at: cells.findLast((cell) => cell.state === 'applied')?.name,
    pending: cells.filter((cell) => cell.known && cell.state !== 'applied').length,
    failed: cells.filter((cell) => !['applied', 'pending', 'unknown'].includes(cell.state)).length,
    lockedBy: reading.lockedBy,
    error: reading.error,
  })
}
