import type { OperationNode } from 'kysely'

// Names and values: what is below them is part of the name.
const leaves: ReadonlySet<string> = new Set([
  'ReferenceNode',
  'ColumnNode',
  'IdentifierNode',
  'OperatorNode',
  'ValueNode',
  'PrimitiveValueListNode',
  'SelectAllNode',
  'DataTypeNode',
  'MatchedNode',
  'TableNode',
])

/** Visits the child nodes of a node, in property order; names and values have none. Works for kinds that do not exist yet. */
export function eachChild(node: OperationNode, visit: (child: OperationNode) => void): void {
  if (leaves.has(node.kind)) return
  for (const key in node) {
    const value = (node as unknown as Record<string, unknown>)[key]
    if (typeof value !== 'object' || value === null) continue
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) visit(item)
    } else if (isNode(value)) {
      visit(value)
    }
  }
}

/** The child nodes of a node. */
export function childrenOf(node: OperationNode): OperationNode[] {
  const children: OperationNode[] = []
  eachChild(node, (child) => {
    children.push(child)
  })
  return children
}

function isNode(value: unknown): value is OperationNode {
  return typeof value === 'object' && value !== null && typeof (value as { kind?: unknown }).kind === 'string'
}

/** True when `test` holds for the node or any node below it. */
export function someNode(node: OperationNode, test: (node: OperationNode) => boolean): boolean {
  if (test(node)) return true
  for (const child of childrenOf(node)) if (someNode(child, test)) return true
  return false
}

/** Rebuilds a tree: `replace` gives a new node, or `undefined` to go on below. Untouched subtrees keep their identity. */
export function mapNode<N extends OperationNode>(
  node: N,
  replace: (node: OperationNode) => OperationNode | undefined,
): N {
  return (replace(node) as N | undefined) ?? mapBelow(node, replace)
}

/** A node over the mapped nodes below it; itself when none of them changed. */
export function mapBelow<N extends OperationNode>(
  node: N,
  replace: (node: OperationNode) => OperationNode | undefined,
): N {
  // The values of a call may look like nodes, and are none.
  if (node.kind === 'ValueNode' || node.kind === 'PrimitiveValueListNode') return node
  let copy: Record<string, unknown> | undefined
  const source = node as unknown as Record<string, unknown>
  for (const key in source) {
    const value = source[key]
    if (typeof value !== 'object' || value === null) continue
    let next: unknown = value
    if (Array.isArray(value)) {
      const items = value.map((item) => (isNode(item) ? mapNode(item, replace) : item))
      if (items.some((item, index) => item !== value[index])) next = items
    } else if (isNode(value)) {
      next = mapNode(value, replace)
    }
    if (next !== value) {
      copy ??= { ...source }
      copy[key] = next
    }
  }
  return (copy as unknown as N | undefined) ?? node
}
