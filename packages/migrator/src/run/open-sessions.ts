import { type FleetShard, ShardwrightError } from '@shardwright/core'
import { MigrationError } from '../errors/migration-error.ts'
import { inParallel } from './in-parallel.ts'
import type { ResolvedMigratorOptions } from './migrator-options.ts'
import type { ShardStates } from './plan-run.ts'
import type { ResolvedRunOptions } from './run-options.ts'
import type { RunReport } from './run-report.ts'
import { openLockedSession, readShardState, type ShardSession } from './shard-session.ts'

export interface OpenedFleet extends AsyncDisposable {
  readonly sessions: readonly ShardSession[]
  readonly unreachable: RunReport['unreachable']
}

/**
 * Locks the shards one after another in topology order: two deployers meet at the first shard, never crosswise.
 * A shard that is locked by another deployer ends the whole run; one that is down is reported.
 */
export async function openSessions(
  shards: readonly FleetShard[],
  options: ResolvedMigratorOptions,
  run: ResolvedRunOptions,
): Promise<OpenedFleet> {
  const sessions: ShardSession[] = []
  const unreachable: { shard: string; error: ShardwrightError }[] = []
  const closeAll = async () => {
    await Promise.all(sessions.map((session) => session[Symbol.asyncDispose]()))
  }
  try {
    for (const shard of shards) {
      run.onEvent({ type: 'waiting', shard: shard.id })
      try {
        sessions.push(await openLockedSession(shard, options, run.signal))
      } catch (error) {
        if (isLocked(error) || run.signal?.aborted) throw error
        unreachable.push({ shard: shard.id, error: asError(shard.id, error) })
      }
    }
  } catch (error) {
    await closeAll()
    throw error
  }
  return { sessions, unreachable, [Symbol.asyncDispose]: closeAll }
}

/** The states of shards that a run leaves alone; one that cannot be read is missing from the map. */
export async function readOtherStates(
  shards: readonly FleetShard[],
  options: ResolvedMigratorOptions,
  concurrency: number,
): Promise<ShardStates> {
  const read = await inParallel(shards, concurrency, async (shard) => {
    try {
      return [shard.id, await readShardState(shard, options)] as const
    } catch {
      return undefined // unknown counts as incomplete, which the caller says in its report
    }
  })
  return new Map(read.filter((entry) => entry !== undefined))
}

export function asError(shard: string, error: unknown): ShardwrightError {
  if (error instanceof ShardwrightError) return error
  return new MigrationError({
    code: 'MIGRATION_FAILED',
    message: `The state of ${shard} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    hint: 'The user of the migrations must be able to create the schema "shardwright" and its table.',
    details: { shard },
    cause: error,
  })
}

function isLocked(error: unknown): boolean {
  return error instanceof MigrationError && error.code === 'MIGRATION_LOCKED'
}
