import type { JoinNode, OperationNode, SelectQueryNode } from 'kysely'
import type { Block } from '../scope/block.ts'
import type { Relation } from '../scope/relation.ts'
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
