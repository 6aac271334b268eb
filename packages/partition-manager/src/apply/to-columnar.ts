import type { CatalogState } from '../inspect/catalog-state.ts'
import type { ToColumnar } from '../plan/action.ts'
import { parentName } from '../sql/partition-sql.ts'
import type { MaintenanceSession } from './session.ts'

/**
 * Rewrites one partition in columns, whole or not at all: Citus copies it to a new table, which takes its place. Readers
 * of the partition wait meanwhile; the parent is locked first, so that nobody waits behind a lock that we wait for.
 */
export async function toColumnar(session: MaintenanceSession, state: CatalogState, action: ToColumnar): Promise<void> {
  session.step('columnar', { partition: action.partition.name })
  await session.transaction(`rewrite ${action.partition.name} in columns`, async () => {
    await session.query(`lock table ${parentName(state)} in access exclusive mode`)
    await session.script(action.sql)
  })
}
