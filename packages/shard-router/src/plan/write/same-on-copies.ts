import type { Schema } from '@shardwright/core'
import type { AliasNode, InsertQueryNode, MergeQueryNode, OperationNode, TableNode } from 'kysely'
import { mergeInserts } from '../analyzer.ts'
import type { Catalog, CatalogTable } from '../catalog.ts'
import type { PreparedPlan } from '../prepared-plan.ts'
import { childrenOf, someNode } from '../walk.ts'

/** True when the statement, run on equal copies, leaves them equal: it calls nothing that each server answers for itself. */
export function isSameOnCopies(plan: PreparedPlan, schema: Schema, catalog: Catalog): boolean {
  if (plan.traits.volatile.length > 0 || plan.traits.clock.length > 0) return false
  return insertsOf(plan.root).every(({ node, into }) => {
    const { identifier, schema: name } = into.table
    const placement = schema.find(identifier.name, name?.name)
    const table = placement && catalog.table(placement.schema, placement.table)
    return table !== undefined && givesAllValues(node, table)
  })
}

interface Insert {
  readonly node: InsertQueryNode
  readonly into: TableNode
}

/** Also those of MERGE, which name no table. */
function insertsOf(root: OperationNode): readonly Insert[] {
  const found: Insert[] = []
  const visit = (node: OperationNode): void => {
    if (node.kind === 'InsertQueryNode' && (node as InsertQueryNode).into) {
      found.push({ node: node as InsertQueryNode, into: bareTable((node as InsertQueryNode).into as OperationNode) })
    }
    if (node.kind === 'MergeQueryNode') {
      const into = bareTable((node as MergeQueryNode).into)
      for (const insert of mergeInserts(node as MergeQueryNode)) found.push({ node: insert, into })
    }
    for (const child of childrenOf(node)) visit(child)
  }
  visit(root)
  return found
}

function bareTable(item: OperationNode): TableNode {
  return (item.kind === 'AliasNode' ? (item as AliasNode).node : item) as TableNode
}

function givesAllValues(node: InsertQueryNode, table: CatalogTable): boolean {
  const given = new Set(node.columns?.map((column) => column.column.name))
  const asksDefault =
    node.values !== undefined && someNode(node.values, (child) => child.kind === 'DefaultInsertValueNode')
  return table.columns.every((column) => {
    const computed =
      column.identity !== undefined || (column.defaultSql !== undefined && !isConstant(column.defaultSql))
    return !computed || column.generated || (given.has(column.name) && !asksDefault)
  })
}

/** `0`, `'new'::text`, `true`, `NULL::bigint`, `'{}'::jsonb`. */
function isConstant(sql: string): boolean {
  return /^(-?\d+(\.\d+)?|true|false|null|\(-?\d+(\.\d+)?\)|'([^']|'')*')(::[a-z0-9_ "[\](),.]+)?$/i.test(sql.trim())
}
