import { type Advisor, advise } from '@shardwright/monitor'
import { type Check, notMade, type Symptom } from './check.ts'

/** A check made of the monitor's advisors: one symptom for each shard, as the doctor groups them. */
export function adviceCheck(name: string, advisors: readonly Advisor[]): Check {
  return {
    name,
    run: async ({ fleet }) => {
      const { advice, failures } = await advise({ fleet, advisors })
      const unseen = failures.map(({ shard, error }) => notMade(name, error, shard))
      const found = advice.flatMap(({ shards, severity, message, remedy }) =>
        shards.map((shard): Symptom => ({ check: name, shard, severity, message, remedy })),
      )
      return [...unseen, ...found]
    },
  }
}
