import type { KeyType, ShardedTable } from '@shardwright/core'
import type { ColumnDefinitionNode, CreateTableNode, OperationNode, RawNode } from 'kysely'
import { PlacementError } from '../errors/placement-error.ts'

/** A sharded table needs a primary key that contains the shard key: no shard sees a duplicate on another one. */
export function assertKeyInPrimaryKey(node: CreateTableNode, placement: ShardedTable): void {
  const columns = primaryKeyColumns(node)
  if (columns.includes(placement.key)) return
  const what = columns.length === 0 ? 'has no primary key' : `has the primary key (${columns.join(', ')})`
  throw new PlacementError({
    code: 'KEY_NOT_IN_PRIMARY_KEY',
    message: `The table ${placement.name} is sharded by ${placement.key} but ${what}.`,
    hint: `Add .addPrimaryKeyConstraint('${placement.table}_pkey', ['${placement.key}', ...]).`,
    details: { table: placement.name, key: placement.key },
  })
}

/** The key column's type, as far as the builder tells it; ownership checks hash by type. */
export function keyTypeOf(node: CreateTableNode, placement: ShardedTable): KeyType | undefined {
  const column = node.columns.find((candidate) => nameOf(candidate) === placement.key)
  return column && keyTypes.get(typeName(column.dataType))
}

const keyTypes = new Map<string, KeyType>([
  ['smallint', 'int2'],
  ['int2', 'int2'],
  ['integer', 'int4'],
  ['int', 'int4'],
  ['int4', 'int4'],
  ['bigint', 'int8'],
  ['int8', 'int8'],
  ['text', 'text'],
  ['varchar', 'varchar'],
  ['character varying', 'varchar'],
  ['uuid', 'uuid'],
  ['date', 'date'],
  ['timestamp', 'timestamp'],
  ['timestamptz', 'timestamptz'],
  ['timestamp with time zone', 'timestamptz'],
])

function primaryKeyColumns(node: CreateTableNode): readonly string[] {
  const inline = node.columns.filter((column) => column.primaryKey).map(nameOf)
  const constraint = node.constraints?.find((candidate) => candidate.kind === 'PrimaryKeyConstraintNode')
  if (!constraint) return inline
  return constraint.columns.map((column) => column.column.name)
}

function nameOf(column: ColumnDefinitionNode): string {
  return column.column.column.name
}

function typeName(type: OperationNode): string {
  const text =
    type.kind === 'RawNode'
      ? (type as RawNode).sqlFragments.join('')
      : String((type as { dataType?: unknown }).dataType)
  return text
    .toLowerCase()
    .replace(/\(.*\)/, '')
    .trim()
}
