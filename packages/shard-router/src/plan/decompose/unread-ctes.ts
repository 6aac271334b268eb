import type { Schema } from '@shardwright/core'
import type { CommonTableExpressionNode, OperationNode, SelectQueryNode, TableNode, WithNode } from 'kysely'
import { bareQuery } from '../scope/query-node.ts'
import { childrenOf, mapNode } from '../walk.ts'
import { without } from './nodes.ts'
import { reads } from './whole-parts.ts'

/**
 * A CTE that nothing reads any more would still be planned by PostgreSQL, and by us; one that writes is done. What
 * nothing read in the statement before stays: its mistakes are PostgreSQL's to find.
 */
export function dropUnusedCtes(root: OperationNode, before?: OperationNode): OperationNode {
  const node = root as SelectQueryNode
  if (!node.with) return root
  const unread = before && unreadCtes(before)
  return withExpressions(
    node,
    keptCtes(node, (name) => unread?.has(name) === true),
  )
}

/**
 * Leaves out the CTEs that nothing reads over a table that only one shard has: PostgreSQL plans them, and would look for
 * the table on the shard that runs the rest. `home`: the shard that has all tables of the rest, if one has.
 */
export function dropUnreadSingles<N extends OperationNode>(root: N, schema: Schema, home: string | undefined): N {
  const away = new Set(schema.tables.filter((table) => table.kind === 'single' && table.shard !== home))
  if (away.size === 0) return root
  const isAway: IsTable = (table, qualifier) => {
    const placement = schema.find(table, qualifier)
    return placement !== undefined && away.has(placement)
  }
  const drop = (node: OperationNode): OperationNode | undefined => {
    const query = node as SelectQueryNode
    if (!query.with) return undefined
    const dropped = unreadOver(query, query.with, isAway)
    if (dropped.size === 0) return undefined
    const kept = query.with.expressions.filter((expression) => !dropped.has(nameOfCte(expression)))
    return mapNode(withExpressions(query, kept), drop)
  }
  return mapNode(root, drop)
}

type IsTable = (table: string, qualifier: string | undefined) => boolean

/** The CTEs that nothing reads and that name such a table, with those that read one of them. */
function unreadOver(query: SelectQueryNode, { expressions, recursive }: WithNode, isTable: IsTable): Set<string> {
  const unread = unreadCtes(query)
  const found = new Set<string>()
  if (unread.size === 0) return found
  const visible = new Set<string>(recursive ? expressions.map(nameOfCte) : [])
  for (const expression of expressions) {
    const name = nameOfCte(expression)
    const { expression: body } = expression
    const touched = namesTable(body, isTable, visible) || [...found].some((other) => reads(other, body))
    if (unread.has(name) && touched) found.add(name)
    visible.add(name)
  }
  return found
}

/** `ctes`: names that stand for CTEs, and not for tables, where the node stands. */
function namesTable(node: OperationNode, isTable: IsTable, ctes: ReadonlySet<string>): boolean {
  if (node.kind === 'TableNode') {
    const { identifier, schema: qualifier } = (node as TableNode).table
    if (!qualifier && ctes.has(identifier.name)) return false
    return isTable(identifier.name, qualifier?.name)
  }
  const own = (node as SelectQueryNode).with
  const inner = new Set(ctes)
  for (const expression of own?.expressions ?? []) {
    if (own?.recursive) inner.add(nameOfCte(expression))
    if (namesTable(expression.expression, isTable, inner)) return true
    inner.add(nameOfCte(expression))
  }
  return childrenOf(node).some((child) => child !== own && namesTable(child, isTable, inner))
}

function withExpressions(node: SelectQueryNode, expressions: readonly CommonTableExpressionNode[]): OperationNode {
  if (!node.with || expressions.length === node.with.expressions.length) return node
  return expressions.length === 0
    ? without(node, 'with')
    : ({ ...node, with: { ...node.with, expressions } } as OperationNode)
}

/** The CTEs of a statement that write or are read, by the rest of it or by one that is kept. */
function keptCtes(node: SelectQueryNode, always: (name: string) => boolean): readonly CommonTableExpressionNode[] {
  const rest = without(node, 'with')
  const kept: CommonTableExpressionNode[] = []
  for (const expression of [...(node.with?.expressions ?? [])].reverse()) {
    const name = nameOfCte(expression)
    const stays = always(name) || bareQuery(expression.expression).kind !== 'SelectQueryNode'
    if (stays || reads(name, rest) || kept.some((other) => reads(name, other.expression))) kept.unshift(expression)
  }
  return kept
}

function unreadCtes(root: OperationNode): ReadonlySet<string> {
  const node = root as SelectQueryNode
  const kept = new Set(keptCtes(node, () => false))
  return new Set(node.with?.expressions.filter((expression) => !kept.has(expression)).map(nameOfCte))
}

function nameOfCte(expression: CommonTableExpressionNode): string {
  return expression.name.table.table.identifier.name
}
