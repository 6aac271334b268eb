import type { JoinNode, OperationNode, SelectQueryNode, TableNode } from 'kysely'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import type { Block } from '../scope/block.ts'
import type { Relation } from '../scope/relation.ts'
import { childrenOf, someNode } from '../walk.ts'
import { shapesOf } from './decompose-level.ts'
import type { Locality } from './locality.ts'
import type { Obstacle, Spread } from './spread.ts'

/** An outer join must not keep a row of a table that each shard has: every shard would keep it. */
export function outerJoinObstacle(
  query: OperationNode,
  block: Block,
  spread: ReadonlyMap<Relation, Spread>,
): Obstacle | undefined {
  const joins = (query as SelectQueryNode).joins ?? []
  const first = block.relations.length - joins.length
  let accumulated = block.relations.slice(0, Math.max(first, 0)).some((relation) => spread.get(relation) === 'sharded')
  for (const [index, join] of joins.entries()) {
    const relation = block.relations[first + index] as Relation
    const added = spread.get(relation) === 'sharded'
    if (isOuterObstacle(join, accumulated, added)) {
      return {
        code: 'CROSS_SHARD_JOIN',
        reason: `the outer join keeps rows that every shard has, so they would come back once per shard ('${relation.alias}')`,
      }
    }
    accumulated ||= added
  }
  return undefined
}

/**
 * The relations whose rows must be in one place before the level can run: what an outer join would look for beside a
 * row that every shard has, and tables of one shard that are joined with those of others.
 */
export function relationsToGather(query: OperationNode, block: Block, locality: Locality): ReadonlySet<Relation> {
  const gathered = new Set<Relation>()
  if (query.kind === 'SelectQueryNode' && mergesWholeRows(query as SelectQueryNode, block, locality)) {
    return new Set(block.relations.filter(isShardedIn(locality)))
  }
  if (block.relations.length < 2) return gathered
  const target = query.kind === 'SelectQueryNode' ? undefined : block.relations[0]
  for (const relation of block.relations) {
    const { kind } = relation.source
    if (kind === 'table' && relation !== target && locality.spreadOfRelation(relation) === 'whole')
      gathered.add(relation)
  }
  const isSharded = (relation: Relation): boolean =>
    relation.source.kind !== 'recursion' &&
    !gathered.has(relation) &&
    relation !== target &&
    locality.spreadOfRelation(relation) === 'sharded'
  const joins = (query as SelectQueryNode).joins ?? []
  const first = block.relations.length - joins.length
  joins.forEach((join, index) => {
    const before = block.relations.slice(0, first + index)
    const relation = block.relations[first + index] as Relation
    const accumulated = before.filter(isSharded)
    if (!isOuterObstacle(join, accumulated.length > 0 || before.includes(target as Relation), isSharded(relation)))
      return
    const looked = isSharded(relation) ? [relation] : accumulated
    if (looked.length === 1 || !locality.keyObstacle(looked, block)) for (const each of looked) gathered.add(each)
  })
  return gathered
}

/** `json_agg(t)` over several shards: a whole row has no name among partial rows, so the tables themselves travel. */
function mergesWholeRows(node: SelectQueryNode, block: Block, locality: Locality): boolean {
  const own = new Set(block.relations.map(({ alias }) => alias))
  if (!shapesOf(node).some((shape) => someNode(shape, (inner) => readsWholeRow(inner, own)))) return false
  return (
    !locality.keyObstacle(block.relations.filter(isShardedIn(locality)), block) && !locality.isRowLocal(node, block)
  )
}

function isShardedIn(locality: Locality): (relation: Relation) => boolean {
  return (relation) => locality.spreadOfRelation(relation) === 'sharded'
}

/** `to_json(t)`; `aliases`: of these relations only. */
export function readsWholeRow(node: OperationNode, aliases?: ReadonlySet<string>): boolean {
  if (node.kind !== 'FunctionNode' && node.kind !== 'AggregateFunctionNode') return false
  return childrenOf(node).some((child) => {
    const bare = unwrapRaw(child)
    return bare.kind === 'TableNode' && (aliases?.has((bare as TableNode).table.identifier.name) ?? true)
  })
}

function isOuterObstacle(join: JoinNode, accumulated: boolean, added: boolean): boolean {
  switch (join.joinType) {
    case 'LeftJoin':
    case 'LateralLeftJoin':
      return added && !accumulated
    case 'RightJoin':
      return accumulated && !added
    case 'FullJoin':
      return accumulated !== added
    default:
      return false
  }
}
