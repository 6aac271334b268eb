import type { PartitionPolicy } from '../policy/policy.ts'
import type { MaintenanceSession } from './session.ts'

const pollMs = 200

/**
 * The one lock of a table's maintenance; it lives on the session and ends with it. It is polled: a session that waits
 * inside pg_advisory_lock holds a snapshot, for which DETACH CONCURRENTLY and CREATE INDEX CONCURRENTLY of the holder
 * would wait in turn.
 * @returns false when another run held it for `parentLockWaitMs`.
 */
export async function lockParent(session: MaintenanceSession, policy: PartitionPolicy): Promise<boolean> {
  const { clock, parentLockWaitMs, signal } = session.options
  const until = clock.monotonicMs() + parentLockWaitMs
  for (;;) {
    const { rows } = await session.query<{ locked: boolean }>(
      'select pg_try_advisory_lock(hashtextextended($1, 7)) as locked',
      [`shardwright.partitions:${policy.schema}.${policy.table}`],
    )
    if (rows[0]?.locked) return true
    if (clock.monotonicMs() >= until) return false
    await clock.sleep(pollMs, { signal })
  }
}
