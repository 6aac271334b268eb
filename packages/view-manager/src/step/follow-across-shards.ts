import type { Fleet, FleetConnection } from '@shardwright/core'
import { wrapServerError } from '../errors/failure.ts'
import { tryLock } from '../sql/advisory-lock.ts'
import { inTransaction } from '../sql/in-transaction.ts'
import { countFollowersOutOfStep } from './count-followers.ts'
import { followTriggersSql } from './follow-sql.ts'
import { refuseTriggers } from './install-step.ts'
import { propagateNotes } from './propagate.ts'
import { type KeepInStepOptions, resolveStep, type Step } from './step.ts'

export interface PropagationReport {
  /** `busy`: another process propagates. */
  readonly outcome: 'propagated' | 'busy'
  /** Keys whose change was noted since the last time. */
  readonly keys: number
  /** Rows that were changed. */
  readonly rows: number
}

/** A copied column whose source may be on another shard: it follows when `propagate` runs. */
export interface ColumnFollowing {
  /** Installs the triggers that note changes, and notes every key there is; propagate() then brings them into step. */
  install(fleet: Fleet): Promise<void>
  /** Brings every noted key into step on all shards. Run it by a schedule; it needs every shard, and can be cut anywhere. */
  propagate(fleet: Fleet): Promise<PropagationReport>
  /** Counts rows that are out of step, changes not yet propagated among them. */
  verify(fleet: Fleet): Promise<number>
}

/**
 * Keeps a denormalised column equal to its source when the two are on different shards, by an update of all shards after
 * the change. Until then the old value is read: where both rows can be on one shard, `keepInStep` has no such time.
 * @throws ViewError VIEW_INVALID
 * @example
 * const nicks = followAcrossShards<Database>({
 *   from: 'users.nick', to: 'orders.user_nick', on: { from: 'id', to: 'user_id' },
 * })
 * await nicks.install(router.fleet)
 * await nicks.propagate(router.fleet)
 */
export function followAcrossShards<Database>(options: KeepInStepOptions<Database>): ColumnFollowing {
  const step = resolveStep(options)
  return Object.freeze({
    install: (fleet: Fleet) => install(fleet, step),
    propagate: (fleet: Fleet) =>
      withAllShards(fleet, async (connections) => {
        // One at a time: a slower one could put an older value over a newer.
        const locked = await tryLock(connections[0] as FleetConnection, `shardwright.step:${step.name}`)
        if (!locked) return { outcome: 'busy', keys: 0, rows: 0 } as const
        return { outcome: 'propagated', ...(await propagateNotes(connections, step)) } as const
      }),
    verify: (fleet: Fleet) => withAllShards(fleet, (connections) => countFollowersOutOfStep(connections, step)),
  })
}

async function install(fleet: Fleet, step: Step): Promise<void> {
  await withAllShards(fleet, async (connections) => {
    for (const connection of connections) {
      await refuseTriggers(connection, step)
      await inTransaction(connection, async () => {
        await connection.script('set local lock_timeout to 5000; set local client_min_messages to warning')
        await connection.script(followTriggersSql(step))
      })
    }
  })
}

async function withAllShards<T>(
  fleet: Fleet,
  work: (connections: readonly FleetConnection[]) => Promise<T>,
): Promise<T> {
  const connections: FleetConnection[] = []
  try {
    for (const shard of fleet.shards) connections.push(await shard.connect({ applicationName: 'shardwright-views' }))
    return await work(connections)
  } catch (error) {
    throw wrapServerError(error, 'keeping a column in step across shards')
  } finally {
    // Releases the lock too. What fails here is gone already.
    await Promise.allSettled(connections.map((connection) => connection.release()))
  }
}
