import type { FleetConnection } from '@shardwright/core'
import { ViewError } from '../errors/view-error.ts'
import { tryLock } from '../sql/advisory-lock.ts'
import type { InstallContext } from './install-options.ts'

/** Polls: a backend that blocks in a lock function holds a snapshot, which CONCURRENTLY would wait for. */
export async function waitForLock(connection: FleetConnection, name: string, context: InstallContext): Promise<void> {
  const { clock, signal } = context
  const deadline = clock.monotonicMs() + context.lockWaitMs
  while (!(await tryLock(connection, name))) {
    const leftMs = deadline - clock.monotonicMs()
    if (leftMs <= 0) {
      throw new ViewError({
        code: 'VIEW_BUSY',
        message: `Another process holds '${name}' on the shard ${connection.shardId}.`,
        details: { shard: connection.shardId, lock: name },
      })
    }
    await clock.sleep(Math.min(100, leftMs), signal ? { signal } : {})
  }
}
