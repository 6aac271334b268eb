import type { Fleet, FleetConnection, FleetShard } from '@shardwright/core'
import { MigrationError } from '../errors/migration-error.ts'
import { acquireMigrationLock, releaseMigrationLock } from '../state/migration-lock.ts'
import type { MigrationRow } from '../state/migration-state.ts'
import { MigrationStore } from '../state/migration-store.ts'
import { keepOwnSchemaOffSearchPath } from '../state/search-path.ts'
import type { ResolvedMigratorOptions } from './migrator-options.ts'

/** One shard during a run: its connection, which holds the lock and does the DDL, and its state. */
export interface ShardSession extends AsyncDisposable {
  readonly shardId: string
  readonly connection: FleetConnection
  readonly store: MigrationStore
  readonly rows: Map<string, MigrationRow>
}

export const applicationName = 'shardwright-migrator'

/** Connects and takes the shard's lock; the state is read under it. */
export async function openLockedSession(
  shard: FleetShard,
  options: ResolvedMigratorOptions,
  signal: AbortSignal | undefined,
): Promise<ShardSession> {
  const connection = await shard.connect({ applicationName, ...(signal && { signal }) })
  try {
    await acquireMigrationLock(connection, { waitMs: options.lockWaitMs, clock: options.clock, signal })
    const store = new MigrationStore(connection, options.appliedBy)
    await store.prepare()
    await settleSession(connection)
    const rows = new Map(await store.read())
    return { shardId: shard.id, connection, store, rows, [Symbol.asyncDispose]: () => close(connection) }
  } catch (error) {
    await connection.release()
    throw error
  }
}

/** A shard that a run leaves alone, and keeps others from migrating meanwhile: its state has to stay true. */
export interface WatchedShard extends AsyncDisposable {
  readonly rows: ReadonlyMap<string, MigrationRow>
}

export async function openWatchedShard(
  shard: FleetShard,
  options: ResolvedMigratorOptions,
  signal: AbortSignal | undefined,
): Promise<WatchedShard> {
  const connection = await shard.connect({ applicationName, ...(signal && { signal }) })
  try {
    await acquireMigrationLock(connection, { waitMs: options.lockWaitMs, clock: options.clock, signal, shared: true })
    await connection.query(`select set_config('idle_session_timeout', '0', false)`)
    const rows = await new MigrationStore(connection, options.appliedBy).read()
    return { rows, [Symbol.asyncDispose]: () => close(connection) }
  } catch (error) {
    await connection.release()
    throw error
  }
}

/** Brings the session's settings to a known state: what one migration has set is not there for the next one. */
export async function settleSession(connection: FleetConnection): Promise<void> {
  await connection.script('reset role; reset all')
  await keepOwnSchemaOffSearchPath(connection)
  // The session may rest while other shards work, or while someone is asked between two waves: it holds the lock.
  await connection.query(`select set_config('idle_session_timeout', '0', false)`)
}

/** The state of a shard that the run does not touch: no lock, nothing created. */
export async function readShardState(
  shard: FleetShard,
  options: ResolvedMigratorOptions,
): Promise<ReadonlyMap<string, MigrationRow>> {
  await using connection = await shard.connect({ applicationName })
  return await new MigrationStore(connection, options.appliedBy).read()
}

/** The shards of the fleet that a run is about. */
export function chooseShards(fleet: Fleet, ids: readonly string[] | undefined): readonly FleetShard[] {
  if (!ids) return fleet.shards
  const known = fleet.shards.map((shard) => shard.id)
  const unknown = ids.find((id) => !known.includes(id))
  if (unknown !== undefined) {
    throw new MigrationError({
      code: 'UNKNOWN_SHARD',
      message: `The fleet has no shard ${JSON.stringify(unknown)}.`,
      hint: `Its shards are ${known.join(', ')}.`,
      details: { shard: unknown, known },
    })
  }
  return fleet.shards.filter((shard) => ids.includes(shard.id))
}

async function close(connection: FleetConnection): Promise<void> {
  try {
    await releaseMigrationLock(connection)
  } catch {
    // A dead connection has lost its lock already.
  } finally {
    await connection.release()
  }
}
