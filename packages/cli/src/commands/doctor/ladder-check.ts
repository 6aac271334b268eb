import { setTimeout as sleep } from 'node:timers/promises'
import { advise, createMonitor, indexAdvisors, readSystemFacts, standingOf } from '@shardwright/monitor'
import { hashTopology } from '../../config/engine.ts'
import type { Check } from './check.ts'

/** Between the two looks that rates need. */
const betweenLooksMs = 1_000

/** Where the system stands (indexes, pool, cache, replicas, partitions, shards, Citus), and the next step if one is due. */
export const ladderCheck: Check = {
  name: 'ladder',
  run: async ({ fleet, topology }) => {
    const monitor = createMonitor({ fleet })
    await monitor.collect()
    await sleep(betweenLooksMs)
    const [round, { advice }] = await Promise.all([monitor.collect(), advise({ fleet, advisors: indexAdvisors })])
    const { rung, next } = standingOf(
      await readSystemFacts({
        fleet,
        topology: hashTopology(topology, 'shardwright doctor'),
        round,
        advice,
      }),
    )
    if (next === undefined) return []
    const message = `the system stands at ${rung ?? 'the ground'}, and ${next.rung} ${next.rung.endsWith('s') ? 'are' : 'is'} next: ${next.why}`
    return [{ check: 'ladder', severity: 'advice', message, remedy: next.step }]
  },
}
