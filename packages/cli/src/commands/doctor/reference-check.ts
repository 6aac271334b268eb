import { verifyShard } from '@shardwright/migrator'
import { type Check, eachShard, type Symptom } from './check.ts'

/** Reference tables whose copies are not equal. */
export const referenceCheck: Check = {
  name: 'reference',
  run: async ({ fleet, schema }) => {
    const [source, ...others] = fleet.shards
    if (!source) return []
    return await eachShard({ ...fleet, shards: others }, 'reference', async (shard) =>
      (await verifyShard({ schema, source, shard })).reference
        .filter((table) => !table.equal)
        .map(
          (table): Symptom => ({
            check: 'reference',
            severity: 'error',
            shard: shard.id,
            message: `its copy of ${table.table} (${table.rows} rows) is not that of ${source.id} (${table.expectedRows} rows)`,
            remedy: 'Copy the table again from the shard that is right.',
          }),
        ),
    )
  },
}
