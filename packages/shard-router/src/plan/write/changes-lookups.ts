import type { TablePlacement } from '@shardwright/core'
import type { ColumnUpdateNode, InsertQueryNode, MergeQueryNode, OperationNode, RawNode, UpdateQueryNode } from 'kysely'
import type { Analyzer } from '../analyzer.ts'
import { isQuery } from '../scope/from-clause.ts'
import { someNode } from '../walk.ts'
import { assignedColumns } from './key-update.ts'
import { mergeInserts } from './merge-when.ts'

/**
 * True when a write, at any depth, may change what a lookup of its table holds: rows come or go, or the column or the
 * primary key is set. What cascades to such a table counts too. Triggers of the application are not seen here: the
 * lookup's own triggers refuse what they change without anybody to keep it.
 */
export function changesLookups(root: OperationNode, analyzer: Analyzer): boolean {
  return someNode(root, (node) => isQuery(node) && isChange(node, analyzer))
}

function isChange(node: OperationNode, analyzer: Analyzer): boolean {
  if (node.kind === 'SelectQueryNode' || !hasTarget(node)) return false
  const placement = targetOf(node, analyzer)
  if (placement === undefined) return false
  const has = analyzer.schema.lookups.some(({ table }) => table === placement)
  const held = heldColumns(placement, analyzer)
  switch (node.kind) {
    case 'InsertQueryNode':
      return has || sets((node as InsertQueryNode).onConflict?.updates, held)
    case 'UpdateQueryNode':
      return sets((node as UpdateQueryNode).updates, held)
    case 'DeleteQueryNode':
      return has || deletesCascade(placement, analyzer)
    default:
      return merges(node as MergeQueryNode, has, held, deletesCascade(placement, analyzer))
  }
}

function merges(node: MergeQueryNode, has: boolean, held: ReadonlySet<string>, cascades: boolean): boolean {
  if (has && mergeInserts(node).length > 0) return true
  return (node.whens ?? []).some(({ result }) =>
    result?.kind === 'UpdateQueryNode'
      ? sets((result as UpdateQueryNode).updates, held)
      : (has || cascades) && isDelete(result),
  )
}

/** The actions of MERGE have no target of their own. */
function hasTarget(node: OperationNode): boolean {
  const { into, table } = node as InsertQueryNode & UpdateQueryNode
  return node.kind === 'DeleteQueryNode' || into !== undefined || table !== undefined
}

function targetOf(node: OperationNode, analyzer: Analyzer): TablePlacement | undefined {
  const source = analyzer.knownBlock(node).relations[0]?.source
  return source?.kind === 'table' ? source.placement : undefined
}

/** The columns whose change changes entries, here or by a cascade. */
function heldColumns(placement: TablePlacement, analyzer: Analyzer): ReadonlySet<string> {
  const { catalog, schema } = analyzer
  const columns = schema.lookups.flatMap(({ table, column }) => (table === placement ? [column] : []))
  const key = columns.length > 0 ? catalog.table(placement.schema, placement.table)?.primaryKey : undefined
  return new Set([...columns, ...(key ?? []), ...(cascadeOf(placement, analyzer)?.onUpdate ?? [])])
}

function deletesCascade(placement: TablePlacement, analyzer: Analyzer): boolean {
  return cascadeOf(placement, analyzer)?.onDelete === true
}

function cascadeOf({ schema, table }: TablePlacement, analyzer: Analyzer) {
  return analyzer.catalog.cascadesToLookups.get(`${schema}.${table}`)
}

function sets(updates: readonly ColumnUpdateNode[] | undefined, held: ReadonlySet<string>): boolean {
  return (updates ?? []).some((update) => assignedColumns(update.column).some((column) => held.has(column)))
}

/** Kysely writes `then delete` as raw text. */
function isDelete(result: OperationNode | undefined): boolean {
  return result?.kind === 'RawNode' && (result as RawNode).sqlFragments.join('').trim() === 'delete'
}
