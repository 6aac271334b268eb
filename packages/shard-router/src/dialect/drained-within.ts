import type { Clock } from '@shardwright/core'
import { defaultCloseTimeoutMs } from '../pool/pool-options.ts'
import { topologyStoreError } from '../topology-store/topology-store-error.ts'
import type { ReplacedTopology } from './router-core.ts'

/** @throws TopologyError TOPOLOGY_STILL_IN_USE */
export async function drainedWithin(
  { drained, ongoing }: ReplacedTopology,
  clock: Clock,
  limitMs: number = defaultCloseTimeoutMs,
): Promise<void> {
  const over = new AbortController()
  const late = clock.sleep(limitMs, { signal: over.signal }).then(
    () => true,
    () => false,
  )
  try {
    if (!(await Promise.race([drained.then(() => false), late]))) return
  } finally {
    over.abort()
  }
  const count = ongoing()
  drained.catch(() => {})
  const message = `The new topology is in force, and ${count} statement(s) or transaction(s) still use the former one after ${limitMs} ms.`
  throw topologyStoreError('TOPOLOGY_STILL_IN_USE', message, { ongoing: count })
}
