import type { FleetConnection } from '@shardwright/core'
import type { View } from '../definition/view.ts'
import { ViewError } from '../errors/view-error.ts'
import { inTransaction } from '../sql/in-transaction.ts'
import { qualified } from '../sql/quote.ts'
import { countChanges } from '../state/count-changes.ts'
import { inspectView } from '../state/inspect-view.ts'
import { asOfParents, noteRefreshed, type Refreshed } from '../state/registry.ts'

export interface RefreshedView extends Refreshed {
  readonly mode: 'plain' | 'concurrently'
}

/** Refreshes one view on one shard, in one transaction with its note. The caller holds the view's lock. */
export async function refreshView(
  connection: FleetConnection,
  view: View,
  lockTimeoutMs: number,
): Promise<RefreshedView> {
  const state = await inspectView(connection, view)
  if (state?.kind !== 'm') throw notInstalled(view, connection)
  // CONCURRENTLY compares with the rows of before: the first refresh has none.
  const mode = state.populated && view.refresh.concurrently ? 'concurrently' : 'plain'
  if (mode === 'concurrently' && !state.uniqueIndex) {
    throw new ViewError({
      code: 'VIEW_UNIQUE_INDEX_UNUSABLE',
      message: `${view.schema}.${view.name} on the shard ${connection.shardId} has no valid unique index over ${view.uniqueOn.join(', ')}.`,
      details: { view: view.name, shard: connection.shardId },
    })
  }
  return await inTransaction(connection, async () => {
    const { budgetMs } = view.refresh
    await connection.script(`set local statement_timeout to ${budgetMs}; set local lock_timeout to ${lockTimeoutMs}`)
    // Counted before the refresh's snapshot: a change is at worst counted once more, never missed.
    const changesSeen = await countChanges(connection, view)
    // And so is the age of what it reads.
    const parents = await asOfParents(connection, view)
    const how = mode === 'concurrently' ? 'concurrently ' : ''
    await connection.query(`refresh materialized view ${how}${qualified(view.schema, view.name)}`)
    const noted = await noteRefreshed(connection, view, { changesSeen, parents })
    if (!noted) throw notInstalled(view, connection)
    return { mode, ...noted }
  })
}

function notInstalled(view: View, connection: FleetConnection): ViewError {
  return new ViewError({
    code: 'VIEW_NOT_INSTALLED',
    message: `The view ${view.schema}.${view.name} is not installed on the shard ${connection.shardId}.`,
    details: { view: view.name, shard: connection.shardId },
  })
}
