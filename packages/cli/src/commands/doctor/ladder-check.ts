import { advise, createMonitor, indexAdvisors, readSystemFacts, standingOf } from '@shardwright/monitor'
import { hashTopology } from '../../config/engine.ts'
import type { Check } from './check.ts'

/**
 * Where the system stands (indexes, pool, cache, replicas, partitions, shards, Citus), and the next step if one is due. Of
 * one look only what stands still counts: a busy second is no reason to grow, so CPU and hits are left to a monitor that runs.
 */
export const ladderCheck: Check = {
  name: 'ladder',
  run: async ({ fleet, topology }) => {
    const [round, { advice }] = await Promise.all([
      createMonitor({ fleet }).collect(),
      advise({ fleet, advisors: indexAdvisors }),
    ])
    const shards = hashTopology(topology, 'shardwright doctor')
    const facts = await readSystemFacts({ fleet, topology: shards, round, advice })
    const { rung, next } = standingOf({ ...facts, cpuRatio: undefined, cacheHitRatio: undefined })
    if (next === undefined) return []
    const message = `the system stands at ${rung ?? 'the ground'}, and ${next.rung} ${next.rung.endsWith('s') ? 'are' : 'is'} next: ${next.why}`
    return [{ check: 'ladder', severity: 'advice', message, remedy: next.step }]
  },
}
