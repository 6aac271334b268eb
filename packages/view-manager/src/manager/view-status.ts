import type { FleetConnection } from '@shardwright/core'
import type { View } from '../definition/view.ts'
import type { Failure } from '../errors/failure.ts'
import type { Rollup } from '../rollup/rollup.ts'
import { readRegistry } from '../state/registry.ts'

/** Where one view, or rollup, stands on one shard. */
export interface ViewStatus {
  readonly view: string
  readonly shard: string
  readonly installed: boolean
  /** False when the shard has an older definition. */
  readonly current: boolean
  readonly refreshedAt: Date | undefined
  /** Everything committed before it is in the view: not later than that of the views it reads. */
  readonly asOf: Date | undefined
  readonly durationMs: number | undefined
  /** The last refresh, when it failed; or why the shard could not be asked. */
  readonly failure: string | Failure | undefined
}

export async function statusOf(
  connection: FleetConnection,
  subjects: readonly (View | Rollup)[],
): Promise<readonly ViewStatus[]> {
  const rows = await readRegistry(connection)
  return subjects.map((subject) => {
    const row = rows.find(({ schema_name, name }) => schema_name === subject.schema && name === subject.name)
    return {
      view: subject.name,
      shard: connection.shardId,
      installed: row !== undefined,
      current: row?.definition_hash === subject.hash,
      refreshedAt: row?.refreshed_at ?? undefined,
      asOf: row?.as_of ?? row?.refreshed_at ?? undefined,
      durationMs: row?.duration_ms == null ? undefined : Number(row.duration_ms),
      failure: row?.failure ?? undefined,
    }
  })
}
