import type {
  AggregateFunctionNode,
  AliasNode,
  CastNode,
  ColumnNode,
  FunctionNode,
  IdentifierNode,
  OperationNode,
  ReferenceNode,
  SelectAllNode,
  SelectionNode,
} from 'kysely'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import type { Block, ColumnTerm } from './block.ts'
import { resolveColumn } from './block.ts'
import type { Relation } from './relation.ts'

/** One output column of a query. */
export interface Output {
  /** As PostgreSQL names it; `undefined` when only the server knows. */
  readonly name: string | undefined
  /** Set when the output is a plain column. */
  readonly term: ColumnTerm | undefined
  /** The expression without its alias; `undefined` for a column of `*`. */
  readonly expression: OperationNode | undefined
}

/** The outputs of a SELECT list or RETURNING, with `*` expanded; `undefined` when a relation's columns are not known. */
export function outputsOf(
  selections: readonly SelectionNode[] | undefined,
  block: Block,
): readonly Output[] | undefined {
  const outputs: Output[] = []
  for (const { selection } of selections ?? []) {
    const bare = unwrapRaw(selection)
    const stars = starRelations(bare, block)
    if (stars === 'unknown') return undefined
    if (stars) {
      for (const relation of stars) {
        if (!relation.columns) return undefined
        for (const column of relation.columns) {
          outputs.push({ name: column, term: { block, relation, column }, expression: undefined })
        }
      }
    } else {
      outputs.push(outputOf(bare, block))
    }
  }
  return outputs
}

function starRelations(node: OperationNode, block: Block): readonly Relation[] | 'unknown' | undefined {
  if (node.kind === 'SelectAllNode') return block.relations
  if (node.kind !== 'ReferenceNode') return undefined
  const { column, table } = node as ReferenceNode
  if ((column as SelectAllNode).kind !== 'SelectAllNode') return undefined
  if (!table) return block.relations
  const relation = block.relations.find((candidate) => candidate.alias === table.table.identifier.name)
  return relation ? [relation] : 'unknown'
}

function outputOf(node: OperationNode, block: Block): Output {
  const { expression, name } = splitAlias(node)
  return { name: name ?? impliedName(expression), term: resolveColumn(expression, block), expression }
}

export function splitAlias(node: OperationNode): { expression: OperationNode; name: string | undefined } {
  if (node.kind !== 'AliasNode') return { expression: node, name: undefined }
  const { node: inner, alias } = node as AliasNode
  const name = alias.kind === 'IdentifierNode' ? (alias as IdentifierNode).name : undefined
  return { expression: unwrapRaw(inner), name }
}

/** The name PostgreSQL gives to an expression without alias. */
export function impliedName(node: OperationNode): string | undefined {
  switch (node.kind) {
    case 'ReferenceNode': {
      const { column } = node as ReferenceNode
      return column.kind === 'ColumnNode' ? column.column.name : undefined
    }
    case 'ColumnNode':
      return (node as unknown as { column: IdentifierNode }).column.name
    case 'FunctionNode':
      return lastName((node as FunctionNode).func)
    case 'AggregateFunctionNode':
      return lastName((node as AggregateFunctionNode).func)
    case 'CastNode':
      return impliedName(unwrapRaw((node as CastNode).expression))
    default:
      return undefined
  }
}

function lastName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).toLowerCase()
}

/** The column of an unqualified name. */
export function bareColumnName(node: OperationNode): string | undefined {
  if (node.kind === 'ColumnNode') return (node as ColumnNode).column.name
  if (node.kind !== 'ReferenceNode' || (node as ReferenceNode).table) return undefined
  const { column } = node as ReferenceNode
  return column.kind === 'ColumnNode' ? column.column.name : undefined
}
