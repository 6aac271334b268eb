import { canonicalKey } from '@shardwright/core'
import type { InsertQueryNode, OperationNode, PrimitiveValueListNode, ValueListNode, ValuesNode } from 'kysely'
import { ColumnNode } from 'kysely'
import type { CatalogTable } from '../plan/catalog.ts'
import { compileTemplate, type ParameterIndex, sourceNode } from '../plan/compile.ts'
import { keyItemOf } from '../plan/key/key-constraint.ts'
import type { MultiShardPlan } from '../plan/multi-shard.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { resolveSource } from '../plan/source.ts'
import { refuseMissing } from '../plan/write/inserted-keys.ts'
import { clockDefaults } from '../plan/write/split-insert.ts'
import type { Statement } from '../pool/shard-pool.ts'
import { columnarStatement } from './columnar-rows.ts'
import type { ExecutionContext } from './context.ts'
import { bindSources } from './merge-select.ts'
import { onAnyShard } from './on-any-shard.ts'

type Split = MultiShardPlan & { kind: 'split' }
type Row = PrimitiveValueListNode | ValueListNode

/** The rows that one shard gets, with their places in the caller's INSERT. */
export interface ShardRows {
  readonly shard: number
  readonly statement: Statement
  readonly places: readonly number[]
}

/** Splits the rows of VALUES by the shard of their key, which routing may have found already. */
export async function splitRows(
  plan: PreparedPlan,
  split: Split,
  context: ExecutionContext,
  shardOfRow?: readonly number[],
): Promise<readonly ShardRows[]> {
  const values = split.node.values as ValuesNode
  const groups = new Map<number, number[]>()
  values.values.forEach((row, place) => {
    const shard = shardOfRow?.[place] ?? shardOfKey(rowKey(row, split, plan, context), split, context)
    const places = groups.get(shard)
    if (places) places.push(place)
    else groups.set(shard, [place])
  })
  const { columnar } = split
  if (columnar) {
    const parts = [...groups].map(([shard, places]) => ({
      shard,
      places,
      statement: columnarStatement(columnar, places, context),
    }))
    if (parts.every(hasStatement)) return parts
  }
  const node = groups.size > 1 ? await withClockDefaults(plan, split, context) : split.node
  const rows = (node.values as ValuesNode).values
  return [...groups].map(([shard, places]) => {
    const part = { ...node, values: { ...values, values: places.map((place) => rows[place] as Row) } }
    const template = compileTemplate(part as OperationNode, plan.parameters)
    return { shard, places, statement: statementOf(template.sql, bindSources(template, context)) }
  })
}

function hasStatement<P extends { readonly statement: Statement | undefined }>(
  part: P,
): part is P & { readonly statement: Statement } {
  return part.statement !== undefined
}

function rowKey(row: Row, split: Split, plan: PreparedPlan, context: ExecutionContext): unknown {
  if (row.kind === 'PrimitiveValueListNode') {
    const first = plan.parameters.get(row) as number
    return context.call.parameters[first + split.position]
  }
  const node = (row as ValueListNode).values[split.position] as OperationNode
  const item = keyItemOf(node, { isKey: () => false, parameters: plan.parameters })
  return item ? resolveSource(item.source, context.call) : undefined
}

/** @throws RoutingError SHARD_KEY_MISSING for NULL; KeyError for what is no key. */
export function shardOfKey(value: unknown, split: { table: Split['table'] }, context: ExecutionContext): number {
  if (value === null || value === undefined) return refuseMissing(split.table)
  const { family } = split.table
  const type = context.state.catalog.keyType(family)
  return context.state.engine.locate({ family, type, value: canonicalKey(type, value as string) })
}

/** One moment for the rows of all shards, where the column's default is the clock's. */
async function withClockDefaults(
  plan: PreparedPlan,
  split: Split,
  context: ExecutionContext,
): Promise<InsertQueryNode> {
  const { table, node } = split
  const described = context.state.catalog.table(table.schema, table.table)
  const columns = clockDefaults(node, described)
  if (columns.length === 0 || !node.columns) return node
  const texts = await defaultTexts(columns, described, context)
  const added = texts.map((value) => sourceNode({ from: 'constant', value }))
  const values = node.values as ValuesNode
  return {
    ...node,
    columns: [...node.columns, ...columns.map((name) => ColumnNode.create(name))],
    values: { ...values, values: values.values.map((own) => appended(own, added, plan.parameters)) } as ValuesNode,
  }
}

/** The values of defaults, as text. */
export async function defaultTexts(
  columns: readonly string[],
  described: CatalogTable | undefined,
  context: ExecutionContext,
): Promise<readonly (string | null)[]> {
  if (columns.length === 0) return []
  const defaults = columns.map((name) => described?.columns.find((column) => column.name === name)?.defaultSql)
  const { result } = await onAnyShard(context, undefined, {
    sql: `select ${defaults.map((sql, index) => `(${sql})::text as v${index}`).join(', ')}`,
    parameters: [],
    access: 'read',
    rows: 'facts',
  })
  const [row] = result.rows as Record<string, string | null>[]
  return columns.map((_, index) => row?.[`v${index}`] ?? null)
}

/** Keeps the row's own nodes, or what they stand for: the tree is the first call's, the parameters are each call's. */
function appended(row: Row, added: readonly OperationNode[], parameters: ParameterIndex): ValueListNode {
  if (row.kind === 'ValueListNode')
    return { kind: 'ValueListNode', values: [...(row as ValueListNode).values, ...added] }
  const list = row as PrimitiveValueListNode
  const first = parameters.get(list)
  const values = list.values.map((value, offset) =>
    sourceNode(first === undefined ? { from: 'constant', value } : { from: 'parameter', index: first + offset }),
  )
  return { kind: 'ValueListNode', values: [...values, ...added] }
}

export function statementOf(sql: string, parameters: readonly unknown[]): Statement {
  return { sql, parameters, access: 'write', rows: 'objects' }
}
