import type { ShardedTable } from '@shardwright/core'
import type { ColumnUpdateNode, InsertQueryNode, MergeQueryNode, OperationNode, UpdateQueryNode } from 'kysely'
import type { Analyzer } from '../analyzer.ts'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import { refuse } from '../refuse.ts'
import { type Block, resolveColumn } from '../scope/block.ts'
import { bareColumnName } from '../scope/outputs.ts'
import { shardedTableOf } from '../scope/relation.ts'
import { childrenOf } from '../walk.ts'

/** Refuses writes that would change a shard key, at any depth; `set k = k` is fine. @throws RoutingError SHARD_KEY_UPDATE */
export function refuseKeyUpdates(root: OperationNode, analyzer: Analyzer): void {
  const visit = (node: OperationNode): void => {
    if (node.kind === 'UpdateQueryNode' && (node as UpdateQueryNode).table) {
      check((node as UpdateQueryNode).updates, node, analyzer)
    }
    if (node.kind === 'MergeQueryNode') {
      for (const when of (node as MergeQueryNode).whens ?? []) {
        if (when.result?.kind === 'UpdateQueryNode') check((when.result as UpdateQueryNode).updates, node, analyzer)
      }
    }
    if (node.kind === 'InsertQueryNode' && (node as InsertQueryNode).onConflict) {
      const { updates, columns } = (node as InsertQueryNode).onConflict ?? {}
      check(
        updates,
        node,
        analyzer,
        columns?.map((column) => column.column.name),
      )
    }
    for (const child of childrenOf(node)) visit(child)
  }
  visit(root)
}

function check(
  updates: readonly ColumnUpdateNode[] | undefined,
  query: OperationNode,
  analyzer: Analyzer,
  conflict?: readonly string[],
): void {
  if (!updates?.length) return
  const block = analyzer.knownBlock(query)
  const target = block.relations[0]
  const table = target && shardedTableOf(target)
  if (!table) return
  for (const update of updates) {
    if (!assignedColumns(update.column).includes(table.key)) continue
    if (isSameKey(update.value, table, block, conflict)) continue
    refuse(
      'SHARD_KEY_UPDATE',
      `The statement sets '${table.name}.${table.key}', the shard key: the row could end on the wrong shard.`,
      "Delete the row and insert it under its new key, in one router.transaction({ crossShard: 'atomic' }).",
      { table: table.name, column: table.key },
    )
  }
}

/** The columns on the left of one assignment; several for `set (a, b) = (...)`. */
export function assignedColumns(node: OperationNode): readonly string[] {
  const name = bareColumnName(unwrapRaw(node)) ?? columnOfReference(unwrapRaw(node))
  return name === undefined ? childrenOf(node).flatMap(assignedColumns) : [name]
}

function columnOfReference(node: OperationNode): string | undefined {
  if (node.kind !== 'ReferenceNode') return undefined
  return (node as unknown as { column: { column?: { name: string } } }).column.column?.name
}

function isSameKey(
  value: OperationNode,
  table: ShardedTable,
  block: Block,
  conflict: readonly string[] | undefined,
): boolean {
  const bare = unwrapRaw(value)
  const term = resolveColumn(bare, block)
  if (term && term.relation === block.relations[0] && term.column === table.key) return true
  if (bare.kind !== 'ReferenceNode' || !conflict?.includes(table.key)) return false
  const { table: qualifier } = bare as unknown as { table?: { table: { identifier: { name: string } } } }
  return qualifier?.table.identifier.name === 'excluded' && columnOfReference(bare) === table.key
}
