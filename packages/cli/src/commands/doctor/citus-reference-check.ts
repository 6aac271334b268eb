import { quoteTable } from '../../citus/locate-key.ts'
import { type Check, onEveryShard, type Symptom } from './check.ts'

/** Reference tables whose copies on the nodes are not equal. */
export const citusReferenceCheck: Check = {
  name: 'reference',
  run: (patient) =>
    onEveryShard(patient, 'reference', async (connection) => {
      const symptoms: Symptom[] = []
      for (const table of patient.schema.tables) {
        if (table.kind !== 'reference') continue
        const { rows } = await connection.query<{ node: string; success: boolean; result: string }>(
          `select nodename || ':' || nodeport as node, success, result
           from run_command_on_placements($1::regclass, $$select count(*) || ' rows, checksum '
             || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) from %s t$$)
           where exists (select from pg_dist_partition where logicalrelid = $1::regclass and repmodel = 't')
           order by 1`,
          [quoteTable(table)],
        )
        const first = rows[0]
        for (const row of rows) {
          if (row.success && row.result === first?.result) continue
          symptoms.push({
            check: 'reference',
            severity: 'error',
            shard: row.node,
            message: `its copy of ${table.name} (${row.result}) is not that of ${first?.node} (${first?.result})`,
            remedy: 'Find out who wrote past Citus; then undistribute_table and create_reference_table again.',
          })
        }
      }
      return symptoms
    }),
}
