import type { InsertQueryNode } from 'kysely'
import type { CatalogTable } from '../catalog.ts'
import type { PreparedPlan } from '../prepared-plan.ts'
import { someNode } from '../walk.ts'

/** True when the statement, run on equal copies, leaves them equal: it calls nothing that each server answers for itself. */
export function isSameOnCopies(plan: PreparedPlan, table: CatalogTable): boolean {
  if (plan.traits.volatile.length > 0 || plan.traits.clock.length > 0) return false
  if (plan.kind !== 'insert') return true
  const node = plan.root as InsertQueryNode
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
