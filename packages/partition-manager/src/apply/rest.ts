import type { FleetShard } from '@shardwright/core'
import type { MaintenanceSession } from './session.ts'

/** When a shard was changed last by this process, monotonic milliseconds. */
const changedAt = new WeakMap<FleetShard, number>()

/** Notes that something has been changed just now. */
export function noteChange({ shard, options }: MaintenanceSession): void {
  changedAt.set(shard, options.clock.monotonicMs())
}

/**
 * Waits before the next change. Every change of a table makes each session that uses it read the catalog and plan its
 * statements anew, which shows in their slowest answers. While others are at work in the database, changes are therefore
 * kept apart, also those of runs that follow each other; where nobody is, nobody waits.
 */
export async function rest(session: MaintenanceSession): Promise<void> {
  const { restMs, clock, signal } = session.options
  const last = changedAt.get(session.shard)
  const leftMs = last === undefined ? 0 : Math.ceil(last + restMs - clock.monotonicMs())
  if (leftMs <= 0 || signal.aborted || !(await othersAtWork(session))) return
  await clock.sleep(leftMs, { signal }).catch((error: unknown) => {
    // An aborted run stops before its next step, which says so.
    if (!signal.aborted) throw error
  })
}

/** A role that may not see what others do (state is null) takes them to be at work. */
const othersQuery = `
select exists (select from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and coalesce(backend_type, 'client backend') = 'client backend'
    and application_name not like 'shardwright-partitions%'
    and (state is distinct from 'idle' or state_change > clock_timestamp() - interval '1 second')) as others`

async function othersAtWork(session: MaintenanceSession): Promise<boolean> {
  const { rows } = await session.query<{ others: boolean }>(othersQuery)
  return rows[0]?.others === true
}
