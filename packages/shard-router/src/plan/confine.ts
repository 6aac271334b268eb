import type { Schema, ShardedTable } from '@shardwright/core'
import {
  AliasNode as AliasFactory,
  type AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  type DeleteQueryNode,
  FromNode,
  IdentifierNode,
  type InsertQueryNode,
  type JoinNode,
  type MergeQueryNode,
  OnNode,
  type OperationNode,
  OperatorNode,
  ParensNode,
  ReferenceNode,
  SelectAllNode,
  SelectionNode,
  type SelectQueryNode,
  TableNode,
  type UpdateQueryNode,
  WhereNode,
  type WithNode,
} from 'kysely'
import { sourceNode } from './compile.ts'
import { unwrapRaw } from './raw/raw-fragment.ts'
import { refuse } from './refuse.ts'
import { isQuery } from './scope/from-clause.ts'
import { mapNode } from './walk.ts'

interface ConfineContext {
  readonly schema: Schema
  readonly family: string
  /** CTE names in scope: they hide tables. */
  readonly ctes: ReadonlySet<string>
}

/**
 * Puts `key = <the confined key>` beside every use of a sharded table, at every level: in WHERE, in ON for the side an
 * outer join may leave out, as a subquery under a full join.
 * @throws RoutingError CONFINED_TO_KEY for tables outside the family
 */
export function confineTree(root: OperationNode, schema: Schema, family: string): OperationNode {
  return confineQuery(root, { schema, family, ctes: new Set() })
}

function confineQuery(node: OperationNode, outer: ConfineContext): OperationNode {
  const context = withCtes((node as SelectQueryNode).with, outer)
  const inner = confineBelow(node, context, outer)
  switch (node.kind) {
    case 'SelectQueryNode':
      return confineSelect(inner as SelectQueryNode, context)
    case 'UpdateQueryNode':
      return confineUpdate(inner as UpdateQueryNode, context)
    case 'DeleteQueryNode':
      return confineDelete(inner as DeleteQueryNode, context)
    case 'InsertQueryNode':
      return confineInsert(inner as InsertQueryNode, context)
    default:
      return confineMerge(inner as MergeQueryNode, context)
  }
}

function withCtes(node: WithNode | undefined, context: ConfineContext): ConfineContext {
  if (!node) return context
  const names = node.expressions.map((expression) => expression.name.table.table.identifier.name)
  return { ...context, ctes: new Set([...context.ctes, ...names]) }
}

/** Confines the queries inside a query, of any clause. */
function confineBelow(node: OperationNode, context: ConfineContext, outer: ConfineContext): OperationNode {
  return mapNode(node, (child) => {
    if (child === (node as SelectQueryNode).with) return confineWith(child as WithNode, outer)
    if (child === node || !isQuery(child)) return undefined
    const mergeInsert = node.kind === 'MergeQueryNode' && child.kind !== 'SelectQueryNode'
    return mergeInsert ? undefined : confineQuery(child, context)
  })
}

/** A CTE sees those before it: in `with t as (select * from t)` the inner t is the table. */
function confineWith(node: WithNode, outer: ConfineContext): WithNode {
  const expressions = node.expressions.map((expression, index) => {
    const before = node.recursive ? node : { ...node, expressions: node.expressions.slice(0, index) }
    const context = withCtes(before, outer)
    return mapNode(expression, (child) => (isQuery(child) ? confineQuery(child, context) : undefined))
  })
  return { ...node, expressions }
}

interface Target {
  readonly table: ShardedTable
  readonly alias: string
}

/** The sharded table that a FROM item is, after checking that it may be used at all. */
function targetOf(item: OperationNode, context: ConfineContext): Target | undefined {
  const bare = unwrapRaw(item)
  if (bare.kind === 'AliasNode') {
    const { node, alias } = bare as AliasNode
    const found = targetOf(node, context)
    if (!found) return undefined
    return { ...found, alias: alias.kind === 'IdentifierNode' ? (alias as IdentifierNode).name : found.alias }
  }
  if (bare.kind !== 'TableNode') return undefined
  const { identifier, schema } = (bare as TableNode).table
  if (schema === undefined && context.ctes.has(identifier.name)) return undefined
  const placement = context.schema.find(identifier.name, schema?.name)
  if (!placement || placement.kind === 'reference') return undefined
  if (placement.kind === 'sharded' && placement.family === context.family) {
    return { table: placement, alias: identifier.name }
  }
  return refuse(
    'CONFINED_TO_KEY',
    `'${placement.name}' is no table of the key family '${context.family}'.`,
    'Use router.db for it; under router.for(key) only the tables of the family and reference tables exist.',
    { table: placement.name, family: context.family },
  )
}

function predicate({ table, alias }: Target): OperationNode {
  return BinaryOperationNode.create(
    ReferenceNode.create(ColumnNode.create(table.key), TableNode.create(alias)),
    OperatorNode.create('='),
    sourceNode({ from: 'confined-key' }),
  )
}

function conjoin(left: OperationNode | undefined, right: OperationNode): OperationNode {
  return left ? AndNode.create(ParensNode.create(left), right) : right
}

function addWhere(where: WhereNode | undefined, targets: readonly (Target | undefined)[]): WhereNode | undefined {
  let condition = where?.where
  for (const target of targets) if (target) condition = conjoin(condition, predicate(target))
  return condition ? WhereNode.create(condition) : undefined
}

interface Joined {
  readonly froms: readonly OperationNode[]
  readonly joins: readonly JoinNode[]
  readonly where: readonly (Target | undefined)[]
}

/** Where each relation's predicate belongs; the items that a full join touches become subqueries. */
function confineRelations(
  froms: readonly OperationNode[],
  joins: readonly JoinNode[],
  context: ConfineContext,
): Joined {
  const full = joins.some((join) => join.joinType === 'FullJoin' || join.joinType === 'RightJoin')
  if (full) {
    return {
      froms: froms.map((item) => filtered(item, context)),
      joins: joins.map((join) => ({ ...join, table: filtered(join.table, context) })),
      where: [],
    }
  }
  const where = froms.map((item) => targetOf(item, context))
  const confined = joins.map((join) => {
    const target = targetOf(join.table, context)
    if (!target) return join
    if (join.joinType === 'LeftJoin' || join.joinType === 'LateralLeftJoin') {
      return { ...join, on: OnNode.create(conjoin(join.on?.on, predicate(target))) }
    }
    where.push(target)
    return join
  })
  return { froms, joins: confined, where }
}

/** `(select * from t where key = ...) as t` */
function filtered(item: OperationNode, context: ConfineContext): OperationNode {
  const target = targetOf(item, context)
  if (!target) return item
  const query: SelectQueryNode = {
    kind: 'SelectQueryNode',
    from: FromNode.create([item]),
    selections: [SelectionNode.create(SelectAllNode.create())],
    where: WhereNode.create(predicate(target)),
  }
  return AliasFactory.create(query, IdentifierNode.create(target.alias))
}

function rejoined(
  node: SelectQueryNode | UpdateQueryNode,
  joined: Joined,
  where: WhereNode | undefined,
): OperationNode {
  return {
    ...node,
    ...(node.from ? { from: FromNode.create(joined.froms) } : {}),
    ...(node.joins ? { joins: joined.joins } : {}),
    ...(where ? { where } : {}),
  } as OperationNode
}

function confineSelect(node: SelectQueryNode, context: ConfineContext): OperationNode {
  const joined = confineRelations(node.from?.froms ?? [], node.joins ?? [], context)
  return rejoined(node, joined, addWhere(node.where, joined.where))
}

function confineUpdate(node: UpdateQueryNode, context: ConfineContext): OperationNode {
  const joined = confineRelations(node.from?.froms ?? [], node.joins ?? [], context)
  const own = node.table && targetOf(node.table, context)
  refuseReferenceWrite(own)
  return rejoined(node, joined, addWhere(node.where, [own, ...joined.where]))
}

function confineDelete(node: DeleteQueryNode, context: ConfineContext): OperationNode {
  const joined = confineRelations(node.using?.tables ?? [], node.joins ?? [], context)
  const targets = node.from.froms.map((item) => targetOf(item, context))
  for (const own of targets) refuseReferenceWrite(own)
  const where = addWhere(node.where, [...targets, ...joined.where])
  return {
    ...node,
    ...(node.using ? { using: { ...node.using, tables: joined.froms } } : {}),
    ...(node.joins ? { joins: joined.joins } : {}),
    ...(where ? { where } : {}),
  } as OperationNode
}

function refuseReferenceWrite(target: Target | undefined): void {
  if (target) return
  refuse(
    'CONFINED_TO_KEY',
    'A write to a reference table changes every shard, and router.for(key) stays with its key.',
    'Write reference tables through router.db.',
  )
}

/** Inserted keys are checked when the statement runs; an upsert must not touch another key's row. */
function confineInsert(node: InsertQueryNode, context: ConfineContext): OperationNode {
  const target = node.into && targetOf(node.into, context)
  refuseReferenceWrite(target)
  if (!target || !node.onConflict?.updates) return node
  return {
    ...node,
    onConflict: { ...node.onConflict, updateWhere: addWhere(node.onConflict.updateWhere, [target]) },
  } as OperationNode
}

function confineMerge(node: MergeQueryNode, context: ConfineContext): OperationNode {
  const target = targetOf(node.into, context)
  refuseReferenceWrite(target)
  if (!target || !node.using) return node
  const using = {
    ...node.using,
    table: filtered(node.using.table, context),
    on: OnNode.create(conjoin(node.using.on?.on, predicate(target))),
  }
  const touchesUnmatched = (node.whens ?? []).some((when) => isBySource(when.condition))
  if (touchesUnmatched) {
    refuse(
      'CONFINED_TO_KEY',
      'WHEN NOT MATCHED BY SOURCE reaches the rows of every key.',
      'Delete by a statement of its own.',
    )
  }
  return { ...node, using } as OperationNode
}

function isBySource(condition: OperationNode): boolean {
  if (condition.kind === 'MatchedNode') return (condition as unknown as { bySource: boolean }).bySource
  if (condition.kind !== 'AndNode') return false
  const { left, right } = condition as AndNode
  return isBySource(left) || isBySource(right)
}
