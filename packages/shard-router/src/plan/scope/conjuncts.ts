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
  return parts.flatMap((part) => {
    if (part.kind !== 'ParensNode') return [part]
    const inner = (part as ParensNode).node
    return inner.kind === 'AndNode' || inner.kind === 'ParensNode' ? conjunctsOf(inner) : [inner]
  })
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
    case 'AndNode':
    case 'BinaryOperationNode':
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
    block.facts.push({ predicate: conjunct, restricts })
    const equality = columnEquality(conjunct)
    const left = equality && resolveColumn(equality.leftOperand, block)
    const right = equality && resolveColumn(equality.rightOperand, block)
    if (left && right) block.equalities.push({ left, right, restricts, links })
  }
}

function columnEquality(node: OperationNode): BinaryOperationNode | undefined {
  if (node.kind !== 'BinaryOperationNode') return undefined
  const comparison = node as BinaryOperationNode
  const { operator } = comparison
  return operator.kind === 'OperatorNode' && (operator as OperatorNode).operator === '=' ? comparison : undefined
}
