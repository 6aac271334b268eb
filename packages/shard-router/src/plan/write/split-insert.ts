import type { Schema, ShardedTable } from '@shardwright/core'
import type { InsertQueryNode, OperationNode } from 'kysely'
import { Analyzer } from '../analyzer.ts'
import type { Catalog, CatalogTable } from '../catalog.ts'
import type { MultiShardPlan } from '../multi-shard.ts'
import type { PreparedPlan } from '../prepared-plan.ts'
import { refuse } from '../refuse.ts'
import { someNode } from '../walk.ts'
import { columnarInsert } from './columnar-insert.ts'
import { keyPosition, refuseMissing } from './inserted-keys.ts'

/** An INSERT whose rows go to several shards: each row with its own key, defaults that do not differ by shard. */
export function planSplit(plan: PreparedPlan, schema: Schema, catalog: Catalog): MultiShardPlan {
  const node = plan.root as InsertQueryNode
  const into = node.into?.table
  const placement = into && schema.find(into.identifier.name, into.schema?.name)
  if (placement?.kind !== 'sharded') {
    return refuse('CROSS_SHARD_WRITE', 'The INSERT needs several shards.', 'Insert per shard key.')
  }
  const analyzer = new Analyzer(schema, catalog, plan.parameters, plan.gathered)
  const position = keyPosition(node, placement, analyzer)
  if (position === undefined) return refuseMissing(placement)
  refuseSplitDefaults(node, placement, catalog)
  refuseSubqueries(node)
  const described = catalog.table(placement.schema, placement.table)
  // What the clock gives is the same for all rows: it is added to each.
  const columnar =
    clockDefaults(node, described).length === 0 ? columnarInsert(node, described, plan.parameters) : undefined
  return { kind: 'split', node, table: placement, position, columnar }
}

/** Values that one PostgreSQL computes once per statement, or takes from one sequence. */
function refuseSplitDefaults(node: InsertQueryNode, table: ShardedTable, catalog: Catalog): void {
  const described = catalog.table(table.schema, table.table)
  const given = new Set(node.columns?.map((column) => column.column.name))
  for (const column of described?.columns ?? []) {
    if (given.has(column.name) && !usesDefault(node)) continue
    if (isSequence(column)) {
      refuse(
        'VOLATILE_IN_SPLIT',
        `'${table.name}.${column.name}' takes its default from a sequence, and each shard has its own.`,
        'Give the rows ids of their own (uuidv7, or a sharded id), or insert per shard key.',
        { table: table.name, column: column.name },
      )
    }
  }
}

function usesDefault(node: InsertQueryNode): boolean {
  return node.values !== undefined && someNode(node.values, (child) => child.kind === 'DefaultInsertValueNode')
}

function isSequence(column: CatalogTable['columns'][number]): boolean {
  return column.identity !== undefined || /\bnextval\(/.test(column.defaultSql ?? '')
}

/** Columns that a split has to fill itself: their default is the clock's, and would differ from shard to shard. */
export function clockDefaults(node: InsertQueryNode, described: CatalogTable | undefined): readonly string[] {
  const given = new Set(node.columns?.map((column) => column.column.name))
  return (described?.columns ?? [])
    .filter((column) => !given.has(column.name) && isClock(column.defaultSql))
    .map((column) => column.name)
}

const clock =
  /\b(now|transaction_timestamp|statement_timestamp|clock_timestamp)\(\)|\bcurrent_(timestamp|date|time)\b|\blocaltime/i

export function isClock(sql: string | undefined): boolean {
  return sql !== undefined && clock.test(sql)
}

function refuseSubqueries(node: InsertQueryNode): void {
  const values = node.values as OperationNode | undefined
  if (values?.kind !== 'ValuesNode') return
  if (someNode(values, (child) => child.kind === 'SelectQueryNode')) {
    refuse('CROSS_SHARD_WRITE', 'A split INSERT has a subquery among its values.', 'Read the value first.')
  }
}
