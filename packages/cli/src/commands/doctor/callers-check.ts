import { callerAdvice, readCallerReports } from '@shardwright/monitor'
import { type Check, notMade, type Symptom } from './check.ts'

/** Statements that scatter and hot keys, as the processes themselves report them: no server knows either. */
export const callersCheck: Check = {
  name: 'callers',
  run: async ({ fleet }) => {
    const { reports, failures } = await readCallerReports(fleet)
    const unseen = failures.map(({ shard, error }) => notMade('callers', error, shard))
    const found = callerAdvice(reports).map(
      ({ severity, message, remedy }): Symptom => ({ check: 'callers', severity, message, remedy }),
    )
    return [...unseen, ...found]
  },
  unseen: async ({ fleet }) => {
    const { reports } = await readCallerReports(fleet)
    return reports.length > 0 ? undefined : 'no process reports what it sees: createCallerReporter'
  },
}
