import type { Schema } from '@shardwright/core'
import type {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  JoinNode,
  OperationNode,
  ReferenceNode,
  SelectQueryNode,
  TableNode,
} from 'kysely'
import { refuse } from '../../plan/refuse.ts'
import { childrenOf } from '../../plan/walk.ts'

/**
 * Citus groups by a shard key on each shard and takes the groups as whole. Where an outer join leaves the key NULL, every
 * shard has such a group, and one PostgreSQL has one: what groups or partitions by such a column is refused.
 * @throws RoutingError UNSUPPORTED_MERGE
 */
export function refuseMissingKeys(root: OperationNode, schema: Schema): void {
  const keys = new Set([...schema.families.values()].flatMap(({ tables }) => tables.map((table) => table.key)))
  const visit = (node: OperationNode): void => {
    if (node.kind === 'SelectQueryNode') refuseLevel(node as SelectQueryNode, keys, schema)
    for (const child of childrenOf(node)) visit(child)
  }
  visit(root)
}

function refuseLevel(query: SelectQueryNode, keys: ReadonlySet<string>, schema: Schema): void {
  const missing = nullableNames(query, schema)
  if (missing.size === 0) return
  const parted = [query.orderBy, ...(query.selections ?? [])].flatMap((node) => (node ? partitionsIn(node) : []))
  for (const column of [...groupsOf(query), ...parted]) {
    const reference = column as ReferenceNode
    if (column.kind !== 'ReferenceNode' || reference.column.kind !== 'ColumnNode') continue
    const name = (reference.column as ColumnNode).column.name
    const table = reference.table?.table.identifier.name
    const found = table === undefined ? undefined : missing.get(table)
    if (table === undefined ? !keys.has(name) : found === undefined || (found === 'table' && !keys.has(name))) continue
    refuse(
      'UNSUPPORTED_MERGE',
      `'${name}' is grouped by, and an outer join may leave it NULL: Citus would give one such group for each shard.`,
      'Group by the key of the side that is always there, or aggregate the rows in the service.',
    )
  }
}

type Side = 'table' | 'derived'

/** What an outer join of this level can leave without a row, by its name in the query. */
function nullableNames({ from, joins }: SelectQueryNode, schema: Schema): ReadonlyMap<string, Side> {
  const before = (from?.froms ?? []).map((node) => sideOf(node, schema))
  const missing = new Map<string, Side>()
  for (const join of (joins ?? []) as readonly JoinNode[]) {
    const own = sideOf(join.table, schema)
    const kind = join.joinType
    if (kind.startsWith('Left') || kind.startsWith('Full') || kind === 'LateralLeftJoin') missing.set(...own)
    if (kind.startsWith('Right') || kind.startsWith('Full')) for (const side of before) missing.set(...side)
    before.push(own)
  }
  return missing
}

/** A CTE may give a key another name, as a subquery may. */
function sideOf(node: OperationNode, schema: Schema): [string, Side] {
  const bare = node.kind === 'AliasNode' ? (node as AliasNode).node : node
  const table = bare.kind === 'TableNode' ? (bare as TableNode).table : undefined
  const side: Side = table && schema.find(table.identifier.name, table.schema?.name) ? 'table' : 'derived'
  if (node.kind === 'AliasNode') return [(((node as AliasNode).alias as IdentifierNode).name ?? '') as string, side]
  return [table?.identifier.name ?? '', side]
}

/** What is grouped by; the name of an output stands for its expression. */
function groupsOf({ groupBy, selections }: SelectQueryNode): readonly OperationNode[] {
  return (groupBy?.items ?? []).map(({ groupBy: item }) => {
    const { table, column } = item as ReferenceNode
    if (item.kind !== 'ReferenceNode' || table !== undefined || column.kind !== 'ColumnNode') return item
    const name = (column as ColumnNode).column.name
    const output = selections?.find(
      ({ selection }) =>
        selection.kind === 'AliasNode' && ((selection as AliasNode).alias as IdentifierNode).name === name,
    )
    return output ? (output.selection as AliasNode).node : item
  })
}

function partitionsIn(node: OperationNode): readonly OperationNode[] {
  if (node.kind === 'SelectQueryNode') return []
  if (node.kind === 'PartitionByItemNode') return [(node as unknown as { partitionBy: OperationNode }).partitionBy]
  return childrenOf(node).flatMap(partitionsIn)
}
