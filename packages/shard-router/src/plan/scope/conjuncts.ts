import type { AndNode, BinaryOperationNode, OperationNode, OperatorNode, ParensNode, RawNode } from 'kysely'
import { understandRaw, unwrapRaw } from '../raw/raw-fragment.ts'
import { childrenOf } from '../walk.ts'
import { type Block, resolveColumn } from './block.ts'

/**
 * The conjuncts of a predicate, as its SQL text means them: Kysely writes nodes without parentheses, so an OR, or a
 * raw fragment with an OR of its own, directly under AND binds otherwise than the tree says and gives no conjunct.
 */
export function conjunctsOf(predicate: OperationNode): readonly OperationNode[] {
  const parts: OperationNode[] = []
  collect(predicate, parts)
  if (parts.length > 1 && parts.some(bindsLoosely)) return []
  return parts.some(({ kind }) => kind === 'ParensNode') ? parts.flatMap(conjunctsInside) : parts
}

function conjunctsInside(part: OperationNode): readonly OperationNode[] {
  if (part.kind !== 'ParensNode') return [part]
  const inner = (part as ParensNode).node
  return inner.kind === 'AndNode' || inner.kind === 'ParensNode' ? conjunctsOf(inner) : [inner]
}

function collect(node: OperationNode, parts: OperationNode[]): void {
  if (node.kind === 'AndNode') {
    const { left, right } = node as AndNode
    collect(left, parts)
    collect(right, parts)
  } else {
    parts.push(unwrapRaw(node))
  }
}

/** True when the node's text, put beside `and`, would be torn apart. */
export function bindsLoosely(node: OperationNode): boolean {
  const bare = unwrapRaw(node)
  switch (bare.kind) {
    case 'OrNode':
      return true
    case 'RawNode':
      return understandRaw(bare as RawNode).loose
    case 'BinaryOperationNode': {
      const { leftOperand, operator, rightOperand } = bare as BinaryOperationNode
      return bindsLoosely(leftOperand) || bindsLoosely(operator) || bindsLoosely(rightOperand)
    }
    case 'AndNode':
    case 'UnaryOperationNode':
    case 'AliasNode':
      return childrenOf(bare).some(bindsLoosely)
    default:
      // Functions, subqueries, lists, CASE and parentheses close themselves.
      return false
  }
}

/** Adds a predicate's conjuncts to the block, and their column equalities. */
export function addFacts(block: Block, predicate: OperationNode, restricts: number, links = restricts): void {
  for (const conjunct of conjunctsOf(predicate)) {
    const equality = columnEquality(conjunct)
    const left = equality && resolveColumn(equality.leftOperand, block)
    const right = left && resolveColumn(equality.rightOperand, block)
    if (right) block.equalities.push({ left, right, restricts, links })
    block.facts.push({ predicate: conjunct, restricts, joins: right !== undefined })
  }
}

function columnEquality(node: OperationNode): BinaryOperationNode | undefined {
  if (node.kind !== 'BinaryOperationNode') return undefined
  const comparison = node as BinaryOperationNode
  const { operator } = comparison
  return operator.kind === 'OperatorNode' && (operator as OperatorNode).operator === '=' ? comparison : undefined
}
