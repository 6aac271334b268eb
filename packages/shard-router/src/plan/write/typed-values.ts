import type { AliasNode, InsertQueryNode, OperationNode, SelectionNode, SelectQueryNode } from 'kysely'
import type { CatalogTable } from '../catalog.ts'
import { rawNode } from '../decompose/nodes.ts'
import { unwrapRaw } from '../raw/raw-fragment.ts'

/**
 * INSERT ... SELECT gives bare constants of its select list the type of the column; read by a statement of their own
 * they would be text. This writes the type down.
 */
export function withTypedValues(
  insert: InsertQueryNode,
  select: SelectQueryNode,
  table: CatalogTable | undefined,
): SelectQueryNode {
  if (!table || select.setOperations) return select
  const names = insert.columns?.map((column) => column.column.name) ?? table.columnNames
  const selections = select.selections?.map((selection, index) => {
    const type = table.columns.find((column) => column.name === names[index])?.type
    return type === undefined ? selection : typed(selection, type)
  })
  const changes = selections?.some((selection, index) => selection !== select.selections?.[index])
  return selections && changes ? { ...select, selections } : select
}

function typed(selection: SelectionNode, type: string): SelectionNode {
  const bare = unwrapRaw(selection.selection)
  const value = bare.kind === 'AliasNode' ? unwrapRaw((bare as AliasNode).node) : bare
  if (value.kind !== 'ValueNode') return selection
  const cast: OperationNode = rawNode(['cast(', ` as ${type})`], [value])
  return {
    ...selection,
    selection: (bare.kind === 'AliasNode' ? { ...bare, node: cast } : cast) as SelectionNode['selection'],
  }
}
