import { canonicalKey } from '@shardwright/core'
import type { OperationNode, PrimitiveValueListNode, ValueListNode, ValuesNode } from 'kysely'
import { compileTemplate } from '../plan/compile.ts'
import { keyItemOf } from '../plan/key/key-constraint.ts'
import type { MultiShardPlan } from '../plan/multi-shard.ts'
import type { PreparedPlan } from '../plan/prepared-plan.ts'
import { resolveSource } from '../plan/source.ts'
import { refuseMissing } from '../plan/write/inserted-keys.ts'
import type { Statement } from '../pool/shard-pool.ts'
import { columnarStatement } from './columnar-rows.ts'
import type { ExecutionContext } from './context.ts'
import { bindSources } from './merge-select.ts'

type Split = MultiShardPlan & { kind: 'split' }
type Row = PrimitiveValueListNode | ValueListNode

/** The rows that one shard gets, with their places in the caller's INSERT. */
export interface ShardRows {
  readonly shard: number
  readonly statement: Statement
  readonly places: readonly number[]
}

/** Splits the rows of VALUES by the shard of their key, which routing may have found already. */
export function splitRows(
  plan: PreparedPlan,
  split: Split,
  context: ExecutionContext,
  shardOfRow?: readonly number[],
): readonly ShardRows[] {
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
  const node = split.bound()
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

export function statementOf(sql: string, parameters: readonly unknown[]): Statement {
  return { sql, parameters, access: 'write', rows: 'objects' }
}
