import type { CatalogState } from '../inspect/catalog-state.ts'
import type { NamedTable } from '../plan/action.ts'
import { detachSql, finalizeSql } from '../sql/partition-sql.ts'
import type { MaintenanceSession } from './session.ts'

type Attachment = 'attached' | 'pending' | 'detached'

/**
 * Detaches, whatever a former attempt or run left: a concurrent detach that lost its lock or its process between its two
 * phases is finalized instead of sent again.
 */
export async function detachPartition(
  session: MaintenanceSession,
  state: CatalogState,
  partition: NamedTable,
  concurrently: boolean,
): Promise<void> {
  const run = state.parent.distributed ? session.transaction : session.withShortLocks
  await run.call(session, `detach ${partition.name}`, async () => {
    const attachment = await attachmentOf(session, state.parent.oid, partition.oid)
    if (attachment === 'detached') return
    const pending = attachment === 'pending'
    session.step(pending ? 'finalize-detach' : 'detach', { partition: partition.name })
    // Alone in its message: neither form runs inside a transaction (25001).
    await session.query(pending ? finalizeSql(state, partition) : detachSql(state, partition, concurrently))
  })
}

async function attachmentOf(session: MaintenanceSession, parentOid: string, oid: string): Promise<Attachment> {
  const { rows } = await session.query<{ pending: boolean }>(
    'select inhdetachpending as pending from pg_inherits where inhparent = $1::oid and inhrelid = $2::oid',
    [parentOid, oid],
  )
  if (!rows[0]) return 'detached'
  return rows[0].pending ? 'pending' : 'attached'
}
