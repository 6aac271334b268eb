import {
  AggregateFunctionNode,
  AliasNode,
  FromNode,
  FunctionNode,
  IdentifierNode,
  type OperationNode,
  type RawNode,
  SelectionNode,
  type SelectQueryNode,
  TableNode,
} from 'kysely'
import { rawNode } from '../decompose/nodes.ts'
import { mapNode } from '../walk.ts'

const arrayFrom = "(select coalesce(json_agg(agg), '[]') from | as agg)"
const objectFrom = '(select to_json(obj) from | as obj)'

/**
 * `jsonArrayFrom` and `jsonObjectFrom` of kysely/helpers/postgres, which Kysely writes as raw text around a query: as the
 * scalar subqueries that they are.
 */
export function openJsonHelpers<N extends OperationNode>(root: N): N {
  return mapNode(root, (node) => {
    if (node.kind !== 'RawNode') return undefined
    const { sqlFragments, parameters } = node as RawNode
    const [inner] = parameters
    if (parameters.length !== 1 || inner === undefined) return undefined
    const text = sqlFragments.join('|')
    if (text === arrayFrom) {
      const rows = AggregateFunctionNode.create('json_agg', [TableNode.create('agg')])
      return selectFrom(inner, 'agg', FunctionNode.create('coalesce', [rows, rawNode(["'[]'"], [])]))
    }
    if (text !== objectFrom) return undefined
    return selectFrom(inner, 'obj', FunctionNode.create('to_json', [TableNode.create('obj')]))
  })
}

function selectFrom(query: OperationNode, alias: string, value: OperationNode): SelectQueryNode {
  return {
    kind: 'SelectQueryNode',
    from: FromNode.create([AliasNode.create(openJsonHelpers(query), IdentifierNode.create(alias))]),
    selections: [SelectionNode.create(value as SelectionNode['selection'] as never)],
  }
}
