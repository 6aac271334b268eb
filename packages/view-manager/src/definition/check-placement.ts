import type { Schema } from '@shardwright/core'
import { ViewError } from '../errors/view-error.ts'
import type { View } from './view.ts'

/**
 * The union of the shards' views is the view of one PostgreSQL only when no two shards can have the same row, that is when
 * the shard key is among the columns that tell rows apart.
 */
export function checkPlacement(view: View, schema: Schema): void {
  const placement = schema.find(view.name, view.schema)
  if (!placement) throw refuse(view, 'has no placement in the schema')
  if (placement.kind !== 'sharded') throw refuse(view, `is placed as ${placement.kind}, but its rows follow its shard`)
  if (view.family !== undefined && view.family !== placement.family) {
    throw refuse(view, `is of the family '${view.family}', but placed in '${placement.family}'`)
  }
  if (!view.uniqueOn.includes(placement.key)) {
    throw refuse(
      view,
      `does not name the shard key '${placement.key}' in uniqueOn, so shards would each have a part of a row`,
    )
  }
}

function refuse(view: View, reason: string): ViewError {
  return new ViewError({
    code: 'VIEW_PLACEMENT',
    message: `The view '${view.name}' ${reason}.`,
    details: { view: view.name },
  })
}
