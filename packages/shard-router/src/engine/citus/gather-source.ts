import type { Schema } from '@shardwright/core'
import {
  AliasNode,
  type InsertQueryNode,
  type MergeQueryNode,
  type OperationNode,
  ParensNode,
  type RootOperationNode,
  type SelectQueryNode,
  type TableNode,
  ValueNode,
} from 'kysely'
import { quote, type TravellingRows } from '../../merge/relation.ts'
import type { Catalog } from '../../plan/catalog.ts'
import { compileTemplate, type SqlTemplate } from '../../plan/compile.ts'
import { rawNode, without } from '../../plan/decompose/nodes.ts'
import { planStatement } from '../../plan/planner.ts'
import type { PreparedPlan } from '../../plan/prepared-plan.ts'
import { bareQuery } from '../../plan/scope/query-node.ts'
import type { CallValues } from '../../plan/source.ts'
import { someNode } from '../../plan/walk.ts'
import { withConflictValues } from './conflict-values.ts'
import { countedInsert } from './insert-count.ts'

/** A MERGE or INSERT ... SELECT whose source is read first. */
export interface GatheredSource {
  readonly source: PreparedPlan
  /** The statement over the rows of the source; `counted` when its rows are only to be counted. */
  over(rows: TravellingRows, call: CallValues): { readonly template: SqlTemplate; readonly counted: boolean }
}

/**
 * Citus takes no MERGE that mentions a function that is not immutable anywhere, be it `timestamptz - interval` or json_agg in
 * a condition of the source, and no INSERT of what it cannot select. The rows of the source, read first, mention nothing.
 * @returns `undefined` for other statements, and where the source is a table
 */
export function gatherSource(plan: PreparedPlan, schema: Schema, catalog: Catalog): GatheredSource | undefined {
  if (plan.kind === 'insert') return gatherSelected(plan, schema, catalog)
  if (plan.kind !== 'merge') return undefined
  const root = plan.root as MergeQueryNode
  const { using } = root
  const select = using?.table.kind === 'AliasNode' ? bareQuery((using.table as AliasNode).node) : undefined
  if (!using || select?.kind !== 'SelectQueryNode') return undefined
  const own = select as SelectQueryNode
  // What is read beside the source stays with Citus.
  if ((own.with && root.with) || someNode(without(root, 'using', 'with'), isSelect)) return undefined
  const ctes = own.with ?? root.with
  const query: SelectQueryNode = ctes ? { ...own, with: ctes } : own
  const source = planStatement(query, schema, catalog, plan.parameters)
  if (source.traits.writes) return undefined
  const { alias } = using.table as AliasNode
  const target = tableOf(root.into)
  return {
    source,
    over: (rows) => {
      const table = AliasNode.create(ParensNode.create(relationOf(rows, target)), alias)
      const merge = { ...without(root, 'with'), using: { ...using, table } } satisfies MergeQueryNode
      return { template: compileTemplate(merge as RootOperationNode, plan.parameters), counted: false }
    },
  }
}

function gatherSelected(plan: PreparedPlan, schema: Schema, catalog: Catalog): GatheredSource | undefined {
  const root = plan.root as InsertQueryNode
  const select = root.values && bareQuery(root.values)
  if (!root.into || root.with || select?.kind !== 'SelectQueryNode') return undefined
  if ([root.onConflict, root.returning].some((clause) => clause && someNode(clause, isSelect))) return undefined
  const source = planStatement(select as SelectQueryNode, schema, catalog, plan.parameters)
  if (source.traits.writes) return undefined
  const { into } = root
  return {
    source,
    over: (rows, call) => {
      const known = (withConflictValues(plan, call) ?? root) as InsertQueryNode
      const over = { ...plan, root: { ...known, values: relationOf(rows, into) } as RootOperationNode }
      const counted = countedInsert(over)
      return { template: counted ?? compileTemplate(over.root, plan.parameters), counted: counted !== undefined }
    },
  }
}

/** The arrays have the types of the columns: a cast of text would be a function again. Citus asks for a table of its own. */
function relationOf({ fields, rows, types, collations }: TravellingRows, target: TableNode): OperationNode {
  const columns = fields.map(({ name }, index) => {
    const collation = collations[index]
    return `u.u${index + 1}${collation ? ` collate ${collation}` : ''} as ${quote(name)}`
  })
  const names = fields.map((_, index) => `u${index + 1}`).join(', ')
  const nothing = types.map((type) => `null::${type}`).join(', ')
  const arrays = types.map((type, index) => `::${type}[]${index < types.length - 1 ? ', ' : ''}`)
  const last = `${arrays.at(-1)}) as u(${names}) union all select ${nothing} from `
  const fragments = [`select ${columns.join(', ')} from unnest(`, ...arrays.slice(0, -1), last, ' where false']
  return rawNode(fragments, [...fields.map((_, index) => ValueNode.create(rows.map((row) => row[index]))), target])
}

function isSelect({ kind }: OperationNode): boolean {
  return kind === 'SelectQueryNode'
}

function tableOf(node: OperationNode): TableNode {
  return (node.kind === 'AliasNode' ? (node as AliasNode).node : node) as TableNode
}
