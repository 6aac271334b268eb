import { findDrift } from '@shardwright/migrator'
import type { Check, Symptom } from './check.ts'

/** Shards whose schema or settings are not those of the first. */
export const driftCheck: Check = {
  name: 'drift',
  run: async ({ fleet, schema }) => {
    const report = await findDrift(fleet, { schema })
    return report.shards.flatMap(({ shard, differences, error }): Symptom[] => {
      if (error) return [{ check: 'drift', severity: 'error', shard, message: error.message, remedy: error.hint ?? '' }]
      return differences.map((difference) => ({
        check: 'drift',
        severity: 'error',
        shard,
        message: `${difference.kind} ${difference.object} is ${difference.problem}, compared with ${report.reference}`,
        remedy: difference.sql.join('; ') || 'shardwright drift',
      }))
    })
  },
}
