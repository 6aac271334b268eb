import type { Schema, ShardedTable } from '@shardwright/core'
import type { InsertQueryNode, OperationNode } from 'kysely'
import { Analyzer } from '../analyzer.ts'
import type { Catalog } from '../catalog.ts'
import { asksMoment } from '../clock.ts'
import type { MultiShardWork } from '../multi-shard.ts'
import type { PreparedPlan } from '../prepared-plan.ts'
import { refuse } from '../refuse.ts'
import { someNode } from '../walk.ts'
import { BoundDefaults } from './bind-defaults.ts'
import { columnarInsert } from './columnar-insert.ts'
import { keyPosition, refuseMissing } from './inserted-keys.ts'
import { isDefault, LeftDefaults } from './left-defaults.ts'
import { refuseSharedDefaults } from './shared-defaults.ts'

/** Where the rows of an INSERT go: the sharded table, and the place of its key in each row. */
export interface InsertTarget {
  readonly table: ShardedTable
  readonly position: number
}

/** @throws RoutingError for an INSERT whose rows cannot be split by their key */
export function insertTarget(plan: PreparedPlan, schema: Schema, catalog: Catalog): InsertTarget {
  const node = plan.root as InsertQueryNode
  const into = node.into?.table
  const table = into && schema.find(into.identifier.name, into.schema?.name)
  if (table?.kind !== 'sharded') {
    return refuse('CROSS_SHARD_WRITE', 'The INSERT needs several shards.', 'Insert per shard key.')
  }
  const analyzer = new Analyzer(schema, catalog, plan.parameters, plan.gathered)
  const position = keyPosition(node, table, analyzer)
  return position === undefined ? refuseMissing(table) : { table, position }
}

/** An INSERT of VALUES whose rows go to several shards: each row with its own key, defaults that do not differ by shard. */
export function planSplit(plan: PreparedPlan, schema: Schema, catalog: Catalog): MultiShardWork {
  const node = plan.root as InsertQueryNode
  const { table, position } = insertTarget(plan, schema, catalog)
  const left = new LeftDefaults(schema, catalog, plan)
  refuseSharedDefaults(node, left)
  refuseSubqueries(node)
  const described = left.describe(table)
  if (!described) return { kind: 'split', node, table, position, columnar: undefined, bound: () => node, moment: false }
  const defaults = new BoundDefaults(left, plan.parameters)
  const added = defaults.omitted(node, described, node)
  const columnar = columnarInsert(defaults.conflict(node, described), described, plan.parameters, added)
  let whole: InsertQueryNode | undefined
  const bound = (): InsertQueryNode => {
    whole ??= defaults.in(node)
    return whole
  }
  const moment = added.length > 0 || asksMoment(someNode(node, isDefault) ? bound() : node)
  return { kind: 'split', node, table, position, columnar, bound, moment }
}

function refuseSubqueries(node: InsertQueryNode): void {
  const values = node.values as OperationNode | undefined
  if (values?.kind !== 'ValuesNode') return
  if (someNode(values, (child) => child.kind === 'SelectQueryNode')) {
    refuse('CROSS_SHARD_WRITE', 'A split INSERT has a subquery among its values.', 'Read the value first.')
  }
}
