import type { Schema, TablePlacement } from '@shardwright/core'
import type {
  AliasNode,
  DeleteQueryNode,
  InsertQueryNode,
  MergeQueryNode,
  OperationNode,
  TableNode,
  UpdateQueryNode,
} from 'kysely'

/** The item that names the table which a statement writes; `undefined` for a SELECT and inside MERGE. */
export function writtenItem(node: OperationNode): OperationNode | undefined {
  switch (node.kind) {
    case 'InsertQueryNode':
      return (node as InsertQueryNode).into
    case 'UpdateQueryNode':
      return (node as UpdateQueryNode).table
    case 'DeleteQueryNode':
      return (node as DeleteQueryNode).from.froms[0]
    case 'MergeQueryNode':
      return (node as MergeQueryNode).into
    default:
      return undefined
  }
}

/** The table that a statement writes, without its alias. */
export function writtenTable(node: OperationNode): TableNode | undefined {
  const item = writtenItem(node)
  const table = item?.kind === 'AliasNode' ? (item as AliasNode).node : item
  return table?.kind === 'TableNode' ? (table as TableNode) : undefined
}

export function writtenPlacement(node: OperationNode, schema: Schema): TablePlacement | undefined {
  const table = writtenTable(node)?.table
  return table && schema.find(table.identifier.name, table.schema?.name)
}
