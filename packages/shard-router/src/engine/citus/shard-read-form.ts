import {
  AliasNode,
  AndNode,
  IdentifierNode,
  type OperationNode,
  ParensNode,
  type RawNode,
  type ReferenceNode,
  type SelectAllNode,
  type SelectQueryNode,
  type TableNode,
  WhereNode,
} from 'kysely'
import { rawNode } from '../../plan/decompose/nodes.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { childrenOf, mapNode } from '../../plan/walk.ts'

/** Where a shard's rows are, while the node's metadata says so. */
export interface ShardTable {
  readonly schema: string
  readonly name: string
  readonly shardId: string
  readonly groupId: number
}

/** Rows of one table, by plain conditions: without rows there is no answer, and nothing names the table but columns. */
const plain: ReadonlySet<string> = new Set([
  'SelectQueryNode',
  'FromNode',
  'SelectionNode',
  'SelectAllNode',
  'AliasNode',
  'IdentifierNode',
  'TableNode',
  'ReferenceNode',
  'ColumnNode',
  'WhereNode',
  'AndNode',
  'OrNode',
  'ParensNode',
  'BinaryOperationNode',
  'UnaryOperationNode',
  'OperatorNode',
  'ValueNode',
  'ValueListNode',
  'PrimitiveValueListNode',
  'OrderByNode',
  'OrderByItemNode',
  'LimitNode',
  'OffsetNode',
])

/** What differs between a table and its shard. */
const systemColumns: ReadonlySet<string> = new Set(['tableoid', 'ctid', 'xmin', 'xmax', 'cmin', 'cmax'])

/** True for a SELECT of one table's columns that a shard's own table answers as Citus would. */
export function isShardRead({ kind, root, accesses, access, traits }: PreparedPlan): boolean {
  const [only] = accesses
  if (kind !== 'select' || root.kind !== 'SelectQueryNode' || access !== 'read') return false
  if (accesses.length !== 1 || only?.kind !== 'sharded' || traits.volatile.length > 0) return false
  if ('explain' in root && root.explain) return false
  return root.from?.froms.length === 1 && isPlain(root)
}

function isPlain(node: OperationNode): boolean {
  if (node.kind === 'RawNode') return isDirection(node as RawNode)
  if (!plain.has(node.kind)) return false
  if (node.kind === 'ReferenceNode' && isSystem((node as ReferenceNode).column)) return false
  if (node.kind === 'ColumnNode' && isSystem(node)) return false
  return childrenOf(node).every(isPlain)
}

/** The direction of ORDER BY, which Kysely keeps as text. */
function isDirection({ sqlFragments, parameters }: RawNode): boolean {
  return parameters.length === 0 && /^(asc|desc)$/.test(sqlFragments.join(''))
}

function isSystem(node: OperationNode): boolean {
  return node.kind === 'ColumnNode' && systemColumns.has((node as { column?: IdentifierNode }).column?.name ?? '')
}

/**
 * The SELECT on a shard's own table. It gives rows only where its node's metadata, in the snapshot that the rows are read
 * in, has the shard there: no rows are no answer.
 */
export function shardRead(root: SelectQueryNode, shard: ShardTable): SelectQueryNode {
  const from = root.from?.froms[0] as OperationNode
  const table = (from.kind === 'AliasNode' ? (from as AliasNode).node : from) as TableNode
  const alias = from.kind === 'AliasNode' ? (from as AliasNode).alias : table.table.identifier
  const own = tableNode(shard.name, shard.schema)
  // Columns name the table by its bare name.
  const named = <N extends OperationNode>(part: N): N => mapNode(part, (node) => referred(node))
  const rest = named({ ...root, from: undefined } as unknown as SelectQueryNode)
  const guard = rawNode([guardSql(shard)], [])
  const asked = rest.where?.where
  return {
    ...rest,
    from: { ...root.from!, froms: [AliasNode.create(own, alias)] },
    where: WhereNode.create(asked ? AndNode.create(ParensNode.create(asked), guard) : guard),
  }
}

function guardSql({ shardId, groupId }: ShardTable): string {
  return `exists (select from pg_catalog.pg_dist_placement where shardid = ${shardId} and shardstate = 1 and groupid = ${groupId})`
}

function referred(node: OperationNode): OperationNode | undefined {
  if (node.kind !== 'ReferenceNode') return undefined
  const { table, column } = node as ReferenceNode
  if (table?.table.schema === undefined) return node
  const bare = tableNode(table.table.identifier.name)
  return { ...node, table: bare, column: column as SelectAllNode } as OperationNode
}

function tableNode(name: string, schema?: string): TableNode {
  const identifier = IdentifierNode.create(name)
  const owner = schema === undefined ? {} : { schema: IdentifierNode.create(schema) }
  return { kind: 'TableNode', table: { kind: 'SchemableIdentifierNode', identifier, ...owner } }
}
