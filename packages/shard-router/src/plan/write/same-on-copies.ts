import type { AggregateFunctionNode, InsertQueryNode, OperationNode, SelectQueryNode, UpdateQueryNode } from 'kysely'
import type { CatalogColumn } from '../catalog.ts'
import { expressionTraits } from '../decompose/expression.ts'
import type { PreparedPlan } from '../prepared-plan.ts'
import { isQuery } from '../scope/from-clause.ts'
import { childrenOf, someNode } from '../walk.ts'
import type { LeftDefaults } from './left-defaults.ts'

/**
 * True when the statement, run on equal copies, leaves them equal: it calls nothing that each server answers for itself,
 * and leaves PostgreSQL no choice between rows, which lie in another order on each copy.
 */
export function isSameOnCopies({ root, traits }: PreparedPlan, left: LeftDefaults): boolean {
  if (traits.volatile.length > 0 || traits.clock.length > 0) return false
  if (someNode(root, (node) => isQuery(node) && leavesChoice(node, left))) return false
  return left.of(root).every((found) => found !== undefined && isConstant(found.column))
}

/** Which rows are taken, or which of several values, may depend on the order in which they lie. */
function leavesChoice(query: OperationNode, left: LeftDefaults): boolean {
  const { limit, offset, fetch, distinctOn } = query as SelectQueryNode
  if (limit || offset || fetch || distinctOn) return true
  if (query.kind === 'UpdateQueryNode' && ((query as UpdateQueryNode).from || (query as UpdateQueryNode).joins))
    return true
  const { values, onConflict } = query as InsertQueryNode
  if (query.kind === 'InsertQueryNode' && onConflict && values?.kind !== 'ValuesNode') return true
  return query.kind === 'SelectQueryNode' && childrenOf(query).some((clause) => dependsOnOrder(clause, left))
}

/** Aggregates that give the same in any order, to the last digit. */
const unordered: ReadonlySet<string> = new Set([
  'count',
  'bool_and',
  'bool_or',
  'every',
  'bit_and',
  'bit_or',
  'bit_xor',
])

function dependsOnOrder(clause: OperationNode, { catalog }: LeftDefaults): boolean {
  const { aggregate, window } = expressionTraits(clause, catalog)
  if (window) return true
  if (!aggregate) return false
  return someNode(clause, (node) =>
    node.kind === 'AggregateFunctionNode'
      ? !unordered.has((node as AggregateFunctionNode).func)
      : node.kind === 'RawNode',
  )
}

/** NULL, `0`, `'new'::text`, `true`, `NULL::bigint`, `'{}'::jsonb`; what is generated is the same as its columns. */
function isConstant({ defaultSql, identity, generated }: CatalogColumn): boolean {
  if (identity !== undefined) return false
  if (generated || defaultSql === undefined) return true
  return /^(-?\d+(\.\d+)?|true|false|null|\(-?\d+(\.\d+)?\)|'([^']|'')*')(::[a-z0-9_ "[\](),.]+)?$/i.test(
    defaultSql.trim(),
  )
}
