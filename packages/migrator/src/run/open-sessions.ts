import { type FleetShard, ShardwrightError } from '@shardwright/core'
import { MigrationError } from '../errors/migration-error.ts'
import type { MigrationRow } from '../state/migration-state.ts'
import { inParallel } from './in-parallel.ts'
import type { ResolvedMigratorOptions } from './migrator-options.ts'
import type { ShardStates } from './plan-run.ts'
import type { ResolvedRunOptions } from './run-options.ts'
import type { RunReport } from './run-report.ts'
import { openLockedSession, openWatchedShard, readShardState, type ShardSession } from './shard-session.ts'

export interface OpenedFleet extends AsyncDisposable {
  readonly sessions: readonly ShardSession[]
  /** The shards that the run leaves alone, with their state; undefined where it cannot be read. */
  readonly others: ReadonlyMap<string, ReadonlyMap<string, MigrationRow> | undefined>
  /** Chosen shards that do not answer. */
  readonly unreachable: RunReport['unreachable']
}

/**
 * Locks the shards of the whole fleet one after another in topology order: two deployers meet at the first shard, never
 * crosswise. Chosen shards are locked for themselves; the others are shared, so that nobody migrates them meanwhile.
 * A shard that another deployer holds ends the run; one that is down is reported.
 */
export async function openSessions(
  chosen: readonly FleetShard[],
  options: ResolvedMigratorOptions,
  run: ResolvedRunOptions,
): Promise<OpenedFleet> {
  const opened: AsyncDisposable[] = []
  const closeAll = async () => {
    await Promise.all(opened.map((entry) => entry[Symbol.asyncDispose]()))
  }
  const sessions: ShardSession[] = []
  const others = new Map<string, ReadonlyMap<string, MigrationRow> | undefined>()
  const unreachable: { shard: string; error: ShardwrightError }[] = []
  try {
    for (const shard of options.fleet.shards) {
      const own = chosen.includes(shard)
      if (own) run.onEvent({ type: 'waiting', shard: shard.id })
      try {
        if (own) sessions.push(keep(opened, await openLockedSession(shard, options, run.signal)))
        else others.set(shard.id, keep(opened, await openWatchedShard(shard, options, run.signal)).rows)
      } catch (error) {
        if (isLocked(error) || run.signal?.aborted) throw error
        others.set(shard.id, undefined)
        if (own) unreachable.push({ shard: shard.id, error: asError(shard.id, error) })
      }
    }
  } catch (error) {
    await closeAll()
    throw error
  }
  return { sessions, others, unreachable, [Symbol.asyncDispose]: closeAll }
}

/** AsyncDisposableStack is not in Node 22. */
function keep<T extends AsyncDisposable>(opened: AsyncDisposable[], entry: T): T {
  opened.push(entry)
  return entry
}

/** The states of shards, without a lock; one that cannot be read is missing from the map. */
export async function readStates(
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
