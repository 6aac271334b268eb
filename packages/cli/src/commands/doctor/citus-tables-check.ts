import { inspectCitusTables } from '@shardwright/core'
import { differenceText } from '../citus/check.ts'
import { type Check, onEveryShard, type Symptom } from './check.ts'

/** Tables that Citus holds otherwise than the schema says. */
export const citusTablesCheck: Check = {
  name: 'tables',
  run: (patient) =>
    onEveryShard(patient, 'tables', async (connection) =>
      (await inspectCitusTables(connection, patient.schema)).map(
        (difference): Symptom => ({
          check: 'tables',
          severity: difference.problem === 'replication' ? 'warning' : 'error',
          message: differenceText(difference),
          remedy: difference.sql.join('; ') || 'A migration has to make the table as the schema says.',
        }),
      ),
    ),
}
