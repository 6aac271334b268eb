import type { FleetConnection } from '@shardwright/core'
import type { View } from '../definition/view.ts'
import { countChanges } from '../state/count-changes.ts'
import { readRegistry } from '../state/registry.ts'

/** Views of one shard whose `refresh.after` is due there by the number of changes or by the time since the first look. */
export async function changedViews(
  connection: FleetConnection,
  views: readonly View[],
  nowMs: number,
): Promise<readonly View[]> {
  const rows = await readRegistry(connection)
  const due: View[] = []
  for (const view of views) {
    const { after } = view.refresh
    const row = rows.find(({ schema_name, name }) => schema_name === view.schema && name === view.name)
    if (!after || !row) continue
    const seen = row.changes_seen === null ? undefined : BigInt(row.changes_seen)
    const now = BigInt(await countChanges(connection, view))
    if (seen === now) continue
    // Fewer than before: the statistics were reset, and nobody knows how many there were.
    const many = seen === undefined || now < seen || now - seen >= BigInt(after.changes)
    // A view that fails is tried again at the same pace, not at every look.
    const last = Math.max(row.refreshed_at?.getTime() ?? 0, row.failed_at?.getTime() ?? 0)
    const failing = row.failed_at !== null
    if ((many && !failing) || nowMs - last >= after.seconds * 1000) due.push(view)
  }
  return due
}
