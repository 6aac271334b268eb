import { type InsertQueryNode, type OperationNode, RawNode, type RootOperationNode, type ValueNode } from 'kysely'
import { escapeLiteral } from 'pg'
import { prepareValue } from 'pg/lib/utils.js'
import { plannedSource } from '../../plan/compile.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { bareQuery } from '../../plan/scope/query-node.ts'
import { type CallValues, resolveSource } from '../../plan/source.ts'
import { mapNode } from '../../plan/walk.ts'

/**
 * Citus may read the rows of an INSERT ... SELECT first and insert them by a statement of its own, which loses the
 * parameters of ON CONFLICT and RETURNING: they are NULL there (a silent other answer), or missing (08P01). So their
 * values are written into the text.
 * @returns `undefined` for a statement without such parameters
 */
export function withConflictValues(plan: PreparedPlan, call: CallValues): RootOperationNode | undefined {
  if (plan.kind !== 'insert') return undefined
  const root = plan.root as InsertQueryNode
  if (!root.values || bareQuery(root.values).kind !== 'SelectQueryNode') return undefined
  const onConflict = root.onConflict && withValues(root.onConflict, plan, call)
  const returning = root.returning && withValues(root.returning, plan, call)
  if (onConflict === root.onConflict && returning === root.returning) return undefined
  return { ...root, ...(onConflict ? { onConflict } : {}), ...(returning ? { returning } : {}) } as RootOperationNode
}

function withValues<N extends OperationNode>(clause: N, { parameters }: PreparedPlan, call: CallValues): N {
  return mapNode(clause, (node) => {
    if (node.kind === 'PrimitiveValueListNode') {
      const first = parameters.get(node) ?? 0
      const { values } = node as unknown as { readonly values: readonly unknown[] }
      return RawNode.createWithSql(
        `(${values.map((_, offset) => literal(call.parameters[first + offset])).join(', ')})`,
      )
    }
    if (node.kind !== 'ValueNode' || (node as ValueNode).immediate) return undefined
    const index = parameters.get(node)
    const source =
      plannedSource(node) ??
      (index === undefined
        ? ({ from: 'constant', value: (node as ValueNode).value } as const)
        : ({ from: 'parameter', index } as const))
    return RawNode.createWithSql(literal(resolveSource(source, call)))
  })
}

/** Of no type, as the parameter was: PostgreSQL takes it for what its place asks for. */
function literal(value: unknown): string {
  const prepared = prepareValue(value)
  if (prepared === null || prepared === undefined) return 'null'
  return escapeLiteral(typeof prepared === 'string' ? prepared : `\\x${Buffer.from(prepared).toString('hex')}`)
}
