import type { InsertQueryNode, OperationNode, RootOperationNode, SelectQueryNode, WithNode } from 'kysely'
import { bareQuery } from '../../plan/scope/query-node.ts'
import { someNode } from '../../plan/walk.ts'

/**
 * `with c as (...) insert into t select ...` as `insert into t with c as (...) select ...`, which is the same: Citus 13.2 may
 * insert no row where the first has `not in (select ... from c)` beside a subquery that it runs before.
 * @returns the statement itself where that is not possible: for CTEs that write, or that something else may read
 */
export function withInside(root: RootOperationNode): RootOperationNode {
  if (root.kind !== 'InsertQueryNode') return root
  const { with: outer, values, onConflict, returning } = root
  const select = values && (bareQuery(values) as SelectQueryNode)
  if (!outer || select?.kind !== 'SelectQueryNode') return root
  if (outer.expressions.some(({ expression }) => !isSelect(bareQuery(expression)))) return root
  if ([onConflict, returning].some((clause) => clause && someNode(clause, isSelect))) return root
  const inner = select.with ? joined(outer, select.with) : outer
  if (!inner) return root
  const { with: _, ...rest } = root
  return { ...rest, values: { ...select, with: inner } as SelectQueryNode } satisfies InsertQueryNode
}

/** `undefined` where a name would stand for another CTE, or for itself. */
function joined(outer: WithNode, inner: WithNode): WithNode | undefined {
  const names = [...outer.expressions, ...inner.expressions].map(({ name }) => name.table.table.identifier.name)
  if (outer.recursive || inner.recursive || new Set(names).size < names.length) return undefined
  return { ...inner, expressions: [...outer.expressions, ...inner.expressions] }
}

function isSelect({ kind }: OperationNode): boolean {
  return kind === 'SelectQueryNode'
}
