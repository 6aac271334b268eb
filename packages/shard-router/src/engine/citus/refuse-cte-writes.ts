import type { CommonTableExpressionNode, OperationNode, TableNode, WithNode } from 'kysely'
import type { Access } from '../../plan/access.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { refuse } from '../../plan/refuse.ts'
import { childrenOf, someNode } from '../../plan/walk.ts'

const hint = 'Run the parts one after the other in one transaction, or give all tables one shard key.'

/**
 * Citus runs a CTE that writes before the rest of its statement, as a statement of its own, where one PostgreSQL gives both
 * the same snapshot; and it writes a reference table in the copy of one node only where the rest is of one shard.
 * @throws RoutingError CITUS_UNSUPPORTED for what comes out otherwise than on one PostgreSQL
 */
export function refuseCteWrites({ kind, root, accesses }: PreparedPlan): void {
  const ctes = (root as { with?: WithNode }).with?.expressions ?? []
  const writing = ctes.filter((cte) => targetOf(cte.expression) !== undefined)
  if (writing.length === 0) return
  const copied = kind !== 'select' && accesses.find(writesReference)
  if (copied) {
    const message = `Citus would write '${copied.name}' on one node only: a reference table beside another write.`
    refuse('CITUS_UNSUPPORTED', message, hint)
  }
  for (const cte of writing) refuseSeen(cte, root)
}

function refuseSeen(cte: CommonTableExpressionNode, root: OperationNode): void {
  const name = targetOf(cte.expression)
  const elsewhere = (node: OperationNode): boolean => node.kind === 'TableNode' && nameOf(node as TableNode) === name
  if (!someOutside(root, cte, elsewhere)) return
  const message = `On Citus the rest of the statement would see what a CTE has written to '${name}'; on one PostgreSQL it sees what was there before.`
  refuse('CITUS_UNSUPPORTED', message, hint)
}

function someOutside(node: OperationNode, left: OperationNode, test: (node: OperationNode) => boolean): boolean {
  const inside = new Set<OperationNode>()
  someNode(left, (below) => !inside.add(below))
  return someNode(node, (below) => !inside.has(below) && test(below))
}

/** The table that a query writes. */
function targetOf(query: OperationNode): string | undefined {
  const { into, table, from } = query as { into?: OperationNode; table?: OperationNode; from?: OperationNode }
  const target = query.kind === 'UpdateQueryNode' ? table : query.kind === 'DeleteQueryNode' ? from : into
  return target && firstTable(target)
}

function firstTable(node: OperationNode): string | undefined {
  if (node.kind === 'TableNode') return nameOf(node as TableNode)
  for (const child of childrenOf(node)) {
    const found = firstTable(child)
    if (found !== undefined) return found
  }
  return undefined
}

function nameOf({ table }: TableNode): string {
  return table.identifier.name
}

function writesReference(access: Access): access is Access & { kind: 'reference' } {
  return access.kind === 'reference' && access.writes
}
