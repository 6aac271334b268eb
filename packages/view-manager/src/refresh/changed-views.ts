import type { FleetConnection } from '@shardwright/core'
import { parentsOf } from '../definition/order-views.ts'
import type { View } from '../definition/view.ts'
import { countChanges } from '../state/count-changes.ts'
import { type RegistryRow, readRegistry } from '../state/registry.ts'

/** A view of one shard, and how far it is behind its tables. */
interface Behind {
  readonly row: RegistryRow
  readonly changed: boolean
  /** So many that it is due for their number. */
  readonly many: boolean
}

/**
 * Views of one shard whose `refresh.after` is due there by the number of changes or by the time since the last refresh, in
 * the order of `views`; with them the views they read that are behind, or the changes would be taken for seen.
 */
export async function changedViews(
  connection: FleetConnection,
  views: readonly View[],
  nowMs: number,
): Promise<readonly View[]> {
  const rows = await readRegistry(connection)
  const known = new Map<View, Behind | undefined>()
  const behindOf = async (view: View): Promise<Behind | undefined> => {
    if (!known.has(view)) known.set(view, await readBehind(connection, view, rows))
    return known.get(view)
  }
  const due = new Set<View>()
  const bring = async (view: View): Promise<void> => {
    due.add(view)
    for (const parent of parentsOf(view, views)) {
      if (!due.has(parent) && (await behindOf(parent))?.changed) await bring(parent)
    }
  }
  for (const view of views) {
    const { after } = view.refresh
    const behind = after && (await behindOf(view))
    if (behind && isDue(behind, after.seconds, nowMs)) await bring(view)
  }
  return views.filter((view) => due.has(view))
}

async function readBehind(
  connection: FleetConnection,
  view: View,
  rows: readonly RegistryRow[],
): Promise<Behind | undefined> {
  const row = rows.find(({ schema_name, name }) => schema_name === view.schema && name === view.name)
  if (!row) return undefined
  const seen = row.changes_seen === null ? undefined : BigInt(row.changes_seen)
  const now = BigInt(await countChanges(connection, view))
  // Fewer than before: the statistics were reset, and nobody knows how many there were.
  const lost = seen === undefined || now < seen
  const many = lost || now - seen >= BigInt(view.refresh.after?.changes ?? 1)
  return { row, changed: seen !== now, many }
}

function isDue({ row, changed, many }: Behind, seconds: number, nowMs: number): boolean {
  if (!changed) return false
  // A view that fails is tried again at the same pace, not at every look.
  if (many && row.failed_at === null) return true
  const last = Math.max(row.refreshed_at?.getTime() ?? 0, row.failed_at?.getTime() ?? 0)
  return nowMs - last >= seconds * 1000
}
