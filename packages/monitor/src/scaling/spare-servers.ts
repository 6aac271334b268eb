import { MonitorError } from '../errors/monitor-error.ts'
import type { ScalingAction } from './decide.ts'
import type { ScalingTarget } from './scaling-target.ts'

/**
 * A target that grows by servers that stand ready, one after the other: replicas, or shards through `shards add` (the
 * migrator's `addShard`). It never shrinks: what leaves a fleet, a person decides.
 * @throws MonitorError SCALING_NOT_POSSIBLE from `resize`, when no spare is left or the action goes down
 * @example
 * spareServers({
 *   size: () => router.topology.shards.length,
 *   spares: [{ id: 'shard-5', url: process.env.SHARD_5_URL }],
 *   add: (spare) => addShard(spare),
 * })
 */
export function spareServers<Spare>(options: {
  readonly size: () => number | Promise<number>
  readonly spares: readonly Spare[]
  /** Brings one spare into service; it counts as used once this resolves. */
  readonly add: (spare: Spare) => Promise<unknown>
}): ScalingTarget {
  const { size, add } = options
  const left = [...options.spares]
  return Object.freeze({
    currentSize: async () => await size(),
    resize: async ({ direction, from, to, target }: ScalingAction) => {
      if (direction === 'down') throw notPossible(`'${target}' is not made smaller by itself.`)
      const wanted = to - from
      if (wanted > left.length)
        throw notPossible(`${wanted} spare servers are needed for '${target}', ${left.length} are left.`)
      for (let added = 0; added < wanted; added++) {
        await add(left[0] as Spare)
        left.shift()
      }
    },
  })
}

function notPossible(message: string): MonitorError {
  return new MonitorError({ code: 'SCALING_NOT_POSSIBLE', message })
}
