import type {
  BinaryOperationNode,
  InsertQueryNode,
  OperationNode,
  OperatorNode,
  ReferenceNode,
  WhereNode,
} from 'kysely'
import type { Catalog } from '../../plan/catalog.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'

/**
 * True for a write that reads at most one row: VALUES, or an UPDATE or DELETE that names the whole primary key. While a
 * shard leaves or is split, a worker may wait with a snapshot that lacks the newest rows of the new shard: such a write then
 * finds its row or no row, and another may find some of its rows.
 */
export function readsOneRow({ kind, root, accesses }: PreparedPlan, catalog: Catalog): boolean {
  const [access] = accesses
  if (accesses.length !== 1 || access?.kind !== 'sharded') return false
  if (kind === 'insert') return (root as InsertQueryNode).values?.kind === 'ValuesNode'
  if (kind !== 'update' && kind !== 'delete') return false
  const key = catalog.table(access.table.schema, access.table.table)?.primaryKey ?? []
  const pinned = new Set<string>()
  pinnedBy((root as { where?: WhereNode }).where?.where, pinned)
  return key.length > 0 && key.every((column) => pinned.has(column))
}

/** Columns that are equal to one value in every row that the condition lets through. */
function pinnedBy(node: OperationNode | undefined, pinned: Set<string>): void {
  if (node === undefined) return
  if (node.kind === 'ParensNode') pinnedBy((node as unknown as { node: OperationNode }).node, pinned)
  if (node.kind === 'AndNode') {
    const { left, right } = node as unknown as { left: OperationNode; right: OperationNode }
    pinnedBy(left, pinned)
    pinnedBy(right, pinned)
  }
  if (node.kind !== 'BinaryOperationNode') return
  const { leftOperand, operator, rightOperand } = node as BinaryOperationNode
  const column = leftOperand.kind === 'ReferenceNode' ? (leftOperand as ReferenceNode).column : undefined
  if (column?.kind !== 'ColumnNode' || rightOperand.kind !== 'ValueNode') return
  if ((operator as OperatorNode).operator === '=') pinned.add(column.column.name)
}
