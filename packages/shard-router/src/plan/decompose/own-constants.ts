import {
  type AliasNode,
  ColumnNode,
  type OperationNode,
  type RawNode,
  ReferenceNode,
  SelectionNode,
  type SelectQueryNode,
} from 'kysely'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import { splitAlias } from '../scope/outputs.ts'
import { aliased } from './nodes.ts'

/**
 * The arms of a set operation agree on the type of a bare constant: gathered, it would be text. So it stays where the
 * arms meet, and only the other columns are taken from the gathered rows.
 */
export function withOwnConstants(
  arm: SelectQueryNode,
  gathered: SelectQueryNode,
  columns: readonly string[] | undefined,
): SelectQueryNode {
  const selections =
    arm.selections?.map(({ selection }) => splitAlias(unwrapRaw(selection) as AliasNode).expression) ?? []
  if (arm.setOperations || columns?.length !== selections.length || new Set(columns).size !== columns.length)
    return gathered
  if (!selections.some(isConstant)) return gathered
  return {
    ...gathered,
    selections: selections.map((expression, index) => {
      const name = columns[index] as string
      return isConstant(expression)
        ? aliased(expression, name)
        : SelectionNode.create(ReferenceNode.create(ColumnNode.create(name)))
    }),
  }
}

/** A value, NULL or a string literal: PostgreSQL calls their type unknown. */
function isConstant(node: OperationNode): boolean {
  const bare = unwrapRaw(node)
  if (bare.kind === 'ValueNode') return true
  if (bare.kind !== 'RawNode') return false
  const { sqlFragments, parameters } = bare as RawNode
  return parameters.length === 0 && /^\s*(null|'(?:[^'\\]|'')*')\s*$/i.test(sqlFragments.join(''))
}
