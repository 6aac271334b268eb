import type { ShardedTable } from '@shardwright/core'
import type { InsertQueryNode, MergeQueryNode, OperationNode, ValueListNode, ValuesNode } from 'kysely'
import type { Analyzer } from '../analyzer.ts'
import type { Locality } from '../decompose/locality.ts'
import { refuse } from '../refuse.ts'
import { type Block, resolveColumn } from '../scope/block.ts'
import { keyPosition } from './inserted-keys.ts'
import { mergeInserts } from './merge-when.ts'

/**
 * A MERGE over several shards may insert only what each shard's own source rows carry: the source's shard key as the
 * new row's. Rows of a source that every shard has would be inserted once per shard.
 * @throws RoutingError CROSS_SHARD_WRITE
 */
export function checkMergeInserts(node: MergeQueryNode, table: ShardedTable, block: Block, locality: Locality): void {
  if (insertsOwnKeys(node, table, block, locality)) return
  refuse(
    'CROSS_SHARD_WRITE',
    `A MERGE over several shards inserts rows into '${table.name}' whose '${table.key}' is not the shard key of its source rows.`,
    `Insert the source's own shard key, or give one key: on ${table.key} = ....`,
    { table: table.name },
  )
}

/** True when each row that a MERGE inserts has the shard key of the source row that it comes from. */
export function insertsOwnKeys(node: MergeQueryNode, table: ShardedTable, block: Block, locality: Locality): boolean {
  const inserts = mergeInserts(node)
  const source = block.relations[1]
  if (inserts.length === 0 || !source) return true
  if (locality.spreadOfRelation(source) !== 'sharded') return false
  return inserts.every((insert) => insertsKeyOf(insert, table, block, locality.analyzer))
}

function insertsKeyOf(insert: InsertQueryNode, table: ShardedTable, block: Block, analyzer: Analyzer): boolean {
  const position = keyPosition(insert, table, analyzer)
  const [row] = insert.values?.kind === 'ValuesNode' ? (insert.values as ValuesNode).values : []
  const value: OperationNode | undefined =
    position !== undefined && row?.kind === 'ValueListNode' ? (row as ValueListNode).values[position] : undefined
  const term = value && resolveColumn(value, block)
  if (!term || term.relation !== block.relations[1]) return false
  return analyzer.exportOf(term.relation, term.column, block)?.family === table.family
}
