import {
  AggregateFunctionNode,
  AliasNode,
  FromNode,
  FunctionNode,
  IdentifierNode,
  type OperationNode,
  RawNode,
  SelectionNode,
  type SelectQueryNode,
  TableNode,
} from 'kysely'
import { rawNode } from '../decompose/nodes.ts'
import { mapNode } from '../walk.ts'

const arrayFrom = "(select coalesce(json_agg(agg), '[]') from | as agg)"
const objectFrom = '(select to_json(obj) from | as obj)'

/**
 * Raw nodes as the planner reads them: `jsonArrayFrom` and `jsonObjectFrom` of kysely/helpers/postgres, raw text around a
 * query, become the scalar subqueries that they are; raw text inside raw text (`sql.join`) becomes one text.
 */
export function openRawNodes<N extends OperationNode>(root: N): N {
  return mapNode(root, (node) => {
    if (node.kind !== 'RawNode') return undefined
    return jsonSubquery(node as RawNode) ?? oneText(node as RawNode)
  })
}

/** True when `openRawNodes` has something to do. */
export function isNestedRaw({ sqlFragments, parameters }: RawNode): boolean {
  if (parameters.some((parameter) => parameter.kind === 'RawNode')) return true
  return parameters.length === 1 && [arrayFrom, objectFrom].includes(sqlFragments.join('|'))
}

function jsonSubquery({ sqlFragments, parameters }: RawNode): OperationNode | undefined {
  const [inner] = parameters
  if (parameters.length !== 1 || inner === undefined) return undefined
  const text = sqlFragments.join('|')
  if (text === arrayFrom) {
    const rows = AggregateFunctionNode.create('json_agg', [TableNode.create('agg')])
    return selectFrom(inner, 'agg', FunctionNode.create('coalesce', [rows, rawNode(["'[]'"], [])]))
  }
  return text === objectFrom
    ? selectFrom(inner, 'obj', FunctionNode.create('to_json', [TableNode.create('obj')]))
    : undefined
}

function selectFrom(query: OperationNode, alias: string, value: OperationNode): SelectQueryNode {
  return {
    kind: 'SelectQueryNode',
    from: FromNode.create([AliasNode.create(openRawNodes(query), IdentifierNode.create(alias))]),
    selections: [SelectionNode.create(value as SelectionNode['selection'] as never)],
  }
}

function oneText({ sqlFragments, parameters }: RawNode): OperationNode | undefined {
  if (!parameters.some((parameter) => parameter.kind === 'RawNode')) return undefined
  let last = sqlFragments[0] ?? ''
  const fragments: string[] = []
  const nodes: OperationNode[] = []
  const put = (node: OperationNode, after: string): void => {
    fragments.push(last)
    nodes.push(node)
    last = after
  }
  parameters.forEach((parameter, index) => {
    const inner = openRawNodes(parameter)
    const after = sqlFragments[index + 1] ?? ''
    if (inner.kind !== 'RawNode') {
      put(inner, after)
      return
    }
    const raw = inner as RawNode
    last += raw.sqlFragments[0] ?? ''
    raw.parameters.forEach((child, at) => {
      put(child, raw.sqlFragments[at + 1] ?? '')
    })
    last += after
  })
  return RawNode.create([...fragments, last], nodes)
}
