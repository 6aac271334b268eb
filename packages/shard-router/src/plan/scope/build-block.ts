import type {
  DeleteQueryNode,
  InsertQueryNode,
  JoinNode,
  MatchedNode,
  MergeQueryNode,
  OperationNode,
  SelectQueryNode,
  UpdateQueryNode,
  WhenNode,
} from 'kysely'
import { refuse } from '../refuse.ts'
import { type Block, everyRelation, newBlock } from './block.ts'
import { addFacts } from './conjuncts.ts'
import { addFrom, addJoins, addRelation, type NameContext, nullableRelations } from './from-clause.ts'
import type { CteEnvironment } from './relation.ts'

/** Builds one query level: relations, the facts of WHERE and ON, and which relations may be NULL-extended. */
export function buildBlock(
  query: OperationNode,
  environment: CteEnvironment,
  parent: Block | undefined,
  names: NameContext,
): Block {
  const block = newBlock(parent, environment)
  switch (query.kind) {
    case 'SelectQueryNode': {
      const node = query as SelectQueryNode
      addFrom(block, node.from, names)
      joinAndFilter(block, node.joins, node.where?.where, names)
      return block
    }
    case 'UpdateQueryNode': {
      const node = query as UpdateQueryNode
      if (!node.table || node.table.kind === 'ListNode') return refuseTarget()
      addRelation(block, node.table, names, false)
      addFrom(block, node.from, names)
      joinAndFilter(block, node.joins, node.where?.where, names)
      return block
    }
    case 'DeleteQueryNode': {
      const node = query as DeleteQueryNode
      if (node.from.froms.length !== 1) return refuseTarget()
      addFrom(block, node.from, names)
      addFrom(block, node.using, names)
      joinAndFilter(block, node.joins, node.where?.where, names)
      return block
    }
    case 'InsertQueryNode': {
      const node = query as InsertQueryNode
      if (!node.into) return refuseTarget()
      addRelation(block, node.into, names, false)
      return block
    }
    case 'MergeQueryNode':
      return mergeBlock(block, query as MergeQueryNode, names)
    default:
      return refuse(
        'UNSUPPORTED_NODE',
        `A ${query.kind} is no query.`,
        'Use a SELECT, INSERT, UPDATE, DELETE or MERGE.',
      )
  }
}

function refuseTarget(): never {
  return refuse(
    'UNSUPPORTED_NODE',
    'A write needs exactly one target table.',
    'Write one table a statement, as PostgreSQL does.',
  )
}

function joinAndFilter(
  block: Block,
  joins: readonly JoinNode[] | undefined,
  where: OperationNode | undefined,
  names: NameContext,
): void {
  const first = block.relations.length
  addJoins(block, joins, names)
  block.nullable = nullableRelations(block, joins, first)
  if (where) addFacts(block, where, everyRelation)
}

/** ON restricts the target unless rows without a source are touched, and the source unless rows without a target are. */
function mergeBlock(block: Block, node: MergeQueryNode, names: NameContext): Block {
  const target = 1 << addRelation(block, node.into, names, false).bit
  if (!node.using) return block
  const source = 1 << addRelation(block, node.using.table, names, false).bit
  let restricts = target | source
  for (const when of node.whens ?? []) {
    const matched = matchedOf(when)
    if (matched?.not) restricts &= matched.bySource ? ~target : ~source
  }
  // As in a full join, ON ties the two whatever it restricts: a row that matches nothing is on its own shard.
  if (node.using.on) addFacts(block, node.using.on.on, restricts, target | source)
  block.nullable = target | source
  return block
}

function matchedOf(when: WhenNode): MatchedNode | undefined {
  const find = (node: OperationNode): MatchedNode | undefined => {
    if (node.kind === 'MatchedNode') return node as MatchedNode
    return node.kind === 'AndNode' ? find((node as unknown as { left: OperationNode }).left) : undefined
  }
  return find(when.condition)
}
