import type { ShardedTable } from '@shardwright/core'
import type { InsertQueryNode, OperationNode, PrimitiveValueListNode, ValueListNode, ValuesNode } from 'kysely'
import type { Analyzer } from '../analyzer.ts'
import { keyItemOf } from '../key/key-constraint.ts'
import { allKeys, type KeyItem, type KeySet, keyItems } from '../key/key-set.ts'
import { unwrapRaw } from '../raw/raw-fragment.ts'
import { refuse } from '../refuse.ts'
import { type Block, resolveColumn } from '../scope/block.ts'
import { keysOfColumn } from '../scope/closure.ts'

/**
 * The keys of the rows that an INSERT adds. Rows of VALUES name theirs as constants; for INSERT ... SELECT the keys are
 * those of the selected column, as far as they are known.
 * @throws RoutingError SHARD_KEY_MISSING
 */
export function insertedKeys(node: InsertQueryNode, table: ShardedTable, block: Block, analyzer: Analyzer): KeySet {
  const position = keyPosition(node, table, analyzer)
  const values = node.values
  if (position === undefined || !values) return refuseMissing(table)
  if (values.kind !== 'ValuesNode') return selectedKeys(values, position, block, analyzer)
  const items = (values as ValuesNode).values.map((row) => rowKey(row, position, analyzer))
  if (items.every((item) => item !== undefined)) return keyItems(items as KeyItem[])
  const merged = node.into ? undefined : mergedKey(values as ValuesNode, position, block, analyzer)
  return merged ?? refuseMissing(table)
}

/** Where in each row the shard key stands. */
export function keyPosition(node: InsertQueryNode, table: ShardedTable, analyzer: Analyzer): number | undefined {
  if (node.defaultValues) return undefined
  const names = node.columns
    ? node.columns.map((column) => column.column.name)
    : analyzer.catalog.table(table.schema, table.table)?.columnNames
  const position = names?.indexOf(table.key) ?? -1
  return position < 0 ? undefined : position
}

/** The key of one row of VALUES; `undefined` when it is DEFAULT, NULL or an expression. */
function rowKey(
  row: PrimitiveValueListNode | ValueListNode,
  position: number,
  analyzer: Analyzer,
): KeyItem | undefined {
  if (row.kind === 'PrimitiveValueListNode') {
    const list = row as PrimitiveValueListNode
    const first = analyzer.parameters.get(row)
    if (position >= list.values.length) return undefined
    if (first === undefined)
      return { source: { from: 'constant', value: list.values[position] }, list: false, as: 'key' }
    return { source: { from: 'parameter', index: first + position }, list: false, as: 'key' }
  }
  const value = (row as ValueListNode).values[position]
  return value && keyItemOf(unwrapRaw(value), { isKey: () => false, parameters: analyzer.parameters })
}

/** In MERGE the inserted key may be a column of the source. */
function mergedKey(values: ValuesNode, position: number, block: Block, analyzer: Analyzer): KeySet | undefined {
  const [row] = values.values
  if (row?.kind !== 'ValueListNode') return undefined
  const value = (row as ValueListNode).values[position]
  const term = value && resolveColumn(value, block)
  return term ? keysOfColumn(term, analyzer) : undefined
}

function selectedKeys(values: OperationNode, position: number, block: Block, analyzer: Analyzer): KeySet {
  const output = analyzer.exportsOf(values, block.environment, block.parent)[position]
  if (output) return output.keys
  const outputs = analyzer.outputs(values, analyzer.blockOf(values, block.environment, block.parent))
  const expression = outputs?.[position]?.expression
  const item = expression && keyItemOf(expression, { isKey: () => false, parameters: analyzer.parameters })
  return item ? keyItems([item]) : allKeys
}

export function refuseMissing(table: ShardedTable): never {
  return refuse(
    'SHARD_KEY_MISSING',
    `A row for '${table.name}' has no constant value for its shard key '${table.key}'.`,
    `Give every row a value for '${table.keyName}' that is known before the statement runs.`,
    { table: table.name, column: table.key },
  )
}
