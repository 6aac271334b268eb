import {
  AliasNode,
  AndNode,
  type BinaryOperationNode,
  ColumnNode,
  FromNode,
  IdentifierNode,
  type OperationNode,
  type OperatorNode,
  ParensNode,
  ReferenceNode,
  SelectionNode,
  type SelectQueryNode,
  TableNode,
  WhereNode,
} from 'kysely'
import type { Analyzer } from '../analyzer.ts'
import { understandRaw, unwrapRaw } from '../raw/raw-fragment.ts'
import { type Block, type Fact, resolveColumn } from '../scope/block.ts'
import { bareName, isQuery } from '../scope/from-clause.ts'
import type { Relation } from '../scope/relation.ts'
import { childrenOf, someNode } from '../walk.ts'
import { selectGather } from './nodes.ts'
import { readsWholeRow } from './outer-join.ts'

/** The rows of a table that a level needs: the columns that are named anywhere, and the rows its own conditions let through. */
export function rowsOfTable(
  relation: Relation,
  block: Block,
  root: OperationNode,
  analyzer: Analyzer,
): { readonly query: SelectQueryNode; readonly columns: readonly string[] } {
  const all = relation.columns ?? []
  const named = namesIn(root)
  const used = named === 'all' || named.has(relation.alias) ? all : all.filter((column) => named.has(column))
  const columns = used.length > 0 ? used : all.slice(0, 1)
  const conditions = block.facts.filter((fact) => holdsBefore(fact, relation, block, analyzer))
  const [first, ...rest] = conditions.map((fact): OperationNode => ParensNode.create(fact.predicate))
  const query: SelectQueryNode = {
    kind: 'SelectQueryNode',
    from: FromNode.create([relation.item]),
    selections: columns.map((column) =>
      SelectionNode.create(ReferenceNode.create(ColumnNode.create(column), TableNode.create(relation.alias))),
    ),
    ...(first ? { where: WhereNode.create(rest.reduce((all, one) => AndNode.create(all, one), first)) } : {}),
  }
  return { query, columns }
}

/** `(<gathered rows>) as <the table's alias>` */
export function gatheredTable(step: number, relation: Relation): OperationNode {
  return AliasNode.create(selectGather(step), IdentifierNode.create(relation.alias))
}

/** A gathered table has no schema any more: `schema.table.column` becomes `table.column`. */
export function withoutSchemas(
  parts: readonly { readonly table?: Relation }[],
  replace: (node: OperationNode) => OperationNode | undefined,
): (node: OperationNode) => OperationNode | undefined {
  const aliases = new Set(parts.flatMap(({ table }) => (table?.schema === undefined ? [] : [table.alias])))
  if (aliases.size === 0) return replace
  return (node) => {
    const replaced = replace(node)
    if (replaced || node.kind !== 'ReferenceNode') return replaced
    const { table, column } = node as ReferenceNode
    if (!table?.table.schema || !aliases.has(table.table.identifier.name)) return undefined
    return ReferenceNode.create(column as ColumnNode, TableNode.create(table.table.identifier.name))
  }
}

/** Every name that may be a column's, also in raw text; `all` where a whole row is meant. */
function namesIn(root: OperationNode): ReadonlySet<string> | 'all' {
  const names = new Set<string>()
  let all = false
  const visit = (node: OperationNode): void => {
    if (node.kind === 'SelectAllNode') all = true
    if (node.kind === 'ColumnNode') names.add((node as ColumnNode).column.name)
    if (node.kind === 'ReferenceNode') visit((node as ReferenceNode).column)
    if (node.kind === 'RawNode') for (const token of understandRaw(node as never).tokens) names.add(token.text)
    if (readsWholeRow(node)) all = true
    for (const child of childrenOf(node)) {
      // count(*) needs no column.
      if (node.kind !== 'AggregateFunctionNode' || child.kind !== 'SelectAllNode') visit(child)
    }
  }
  visit(root)
  return all ? 'all' : names
}

/**
 * True when rows of the relation that fail the condition can be left out beforehand: it speaks of no other relation,
 * and nothing changes where the row is missing instead (an outer join would put NULLs in its place).
 */
function holdsBefore(fact: Fact, relation: Relation, block: Block, analyzer: Analyzer): boolean {
  const bit = 1 << relation.bit
  if ((fact.restricts & bit) === 0 || !speaksOnlyOf(fact.predicate, relation, block, analyzer)) return false
  if ((block.nullable & bit) === 0 || fact.restricts === bit) return true
  return rejectsNull(fact.predicate)
}

function speaksOnlyOf(predicate: OperationNode, relation: Relation, block: Block, analyzer: Analyzer): boolean {
  return !someNode(predicate, (node) => {
    if (isQuery(node)) return true
    const bare = unwrapRaw(node)
    if (bare.kind === 'RawNode') return true
    if (bare.kind === 'FunctionNode') {
      const name = bareName((bare as unknown as { func: string }).func)
      return name !== 'any' && analyzer.catalog.functionTraits(name)?.volatility !== 'immutable'
    }
    if (bare.kind !== 'ReferenceNode' && bare.kind !== 'ColumnNode') return false
    const term = resolveColumn(bare, block)
    return term?.relation !== relation || term.block !== block
  })
}

const strict = new Set(['=', '<', '>', '<=', '>=', '<>', '!=', 'in', 'like', 'ilike', 'between'])

/** `column = value` and its relatives are never true for NULL. */
function rejectsNull(predicate: OperationNode): boolean {
  if (predicate.kind !== 'BinaryOperationNode') return false
  const { leftOperand, operator } = predicate as BinaryOperationNode
  if (operator.kind !== 'OperatorNode' || !strict.has((operator as OperatorNode).operator)) return false
  return ['ReferenceNode', 'ColumnNode'].includes(unwrapRaw(leftOperand).kind)
}
