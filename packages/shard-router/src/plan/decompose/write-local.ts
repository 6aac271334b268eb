import type { InsertQueryNode, MergeQueryNode, OperationNode } from 'kysely'
import type { Block } from '../scope/block.ts'
import { bareQuery } from '../scope/query-node.ts'
import { shardedTableOf } from '../scope/relation.ts'
import { keyPosition } from '../write/inserted-keys.ts'
import { insertsOwnKeys } from '../write/merge-inserts.ts'
import type { Locality } from './locality.ts'

/** True when a write, done on each shard for that shard's rows, does what one PostgreSQL does with all of them. */
export function isWriteLocal(query: OperationNode, locality: Locality): boolean {
  const block = locality.analyzer.knownBlock(query)
  const [target] = block.relations
  const table = target && shardedTableOf(target)
  if (!table || locality.obstacle(query, block)) return false
  if (block.relations.some((relation) => locality.spreadOfRelation(relation) === 'whole')) return false
  const source = query.kind === 'InsertQueryNode' ? insertSource(query as InsertQueryNode) : undefined
  if (query.kind === 'InsertQueryNode' && !(source && givesOwnKeys(query as InsertQueryNode, source, block, locality)))
    return false
  if (query.kind === 'MergeQueryNode' && !insertsOwnKeys(query as MergeQueryNode, table, block, locality)) return false
  return locality
    .subqueries(query)
    .every((subquery) => subquery === source || locality.subqueryPlace(subquery, query, block) === 'stays')
}

function insertSource(node: InsertQueryNode): OperationNode | undefined {
  const values = node.values && bareQuery(node.values)
  return values?.kind === 'SelectQueryNode' ? values : undefined
}

/** True when INSERT ... SELECT gives each row the shard key of the rows that it is read from. */
function givesOwnKeys(node: InsertQueryNode, source: OperationNode, block: Block, locality: Locality): boolean {
  const { analyzer } = locality
  const table = block.relations[0] && shardedTableOf(block.relations[0])
  const position = table && keyPosition(node, table, analyzer)
  if (!table || position === undefined || locality.spreadOf(source) !== 'sharded') return false
  const own = analyzer.exportsOf(source, block.environment, block.parent)[position]
  return own?.family === table.family && !own.nullable
}
