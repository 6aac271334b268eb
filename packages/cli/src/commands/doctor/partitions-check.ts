import { maintain } from '@shardwright/partition-manager'
import type { Check, Symptom } from './check.ts'

/** What the partition policies still want, and rows that wait in a DEFAULT partition. */
export const partitionsCheck: Check = {
  name: 'partitions',
  run: async ({ config, fleet }) => {
    if (!config.partitions?.length) return []
    const report = await maintain(fleet, config.partitions, { dryRun: true })
    return report.tables.flatMap((table): Symptom[] => {
      const at = { check: 'partitions', shard: table.shard }
      const todo = table.plan?.actions.length ?? 0
      return [
        ...(table.failure
          ? [
              {
                ...at,
                severity: 'error' as const,
                message: `${table.table}: ${table.failure.message}`,
                remedy: table.failure.hint ?? '',
              },
            ]
          : []),
        ...(todo > 0
          ? [
              {
                ...at,
                severity: 'warning' as const,
                message: `${table.table}: ${todo} actions of its policy are due`,
                remedy: 'shardwright partitions apply',
              },
            ]
          : []),
        ...(table.plan?.problems ?? []).map((problem) => ({
          ...at,
          severity: problem.severity === 'error' ? ('error' as const) : ('warning' as const),
          message: `${table.table}: ${problem.message}`,
          remedy: problem.hint ?? '',
        })),
      ]
    })
  },
}
