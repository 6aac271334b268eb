import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type InsertQueryNode,
  SelectionNode,
  type SelectQueryNode,
} from 'kysely'
import type { CatalogTable } from '../catalog.ts'
import { bindClock } from '../clock.ts'
import { rawNode } from '../decompose/nodes.ts'
import { mapNode } from '../walk.ts'
import { clockDefaults } from './split-insert.ts'

/** Columns whose default is the clock's get one moment on all shards of an INSERT ... SELECT that each shard runs. */
export function withClockColumns(
  insert: InsertQueryNode,
  select: SelectQueryNode,
  described: CatalogTable | undefined,
): InsertQueryNode {
  const names = insert.columns ? clockDefaults(insert, described) : []
  if (names.length === 0 || select.setOperations) return insert
  const added = names.map((name, index) => {
    const sql = described?.columns.find((column) => column.name === name)?.defaultSql ?? 'null'
    const value = bindClock(rawNode([`(${sql})`], []))
    return SelectionNode.create(AliasNode.create(value, IdentifierNode.create(`shardwright:clock:${index + 1}`)))
  })
  const timed = { ...select, selections: [...(select.selections ?? []), ...added] }
  const columns = [...(insert.columns ?? []), ...names.map((name) => ColumnNode.create(name))]
  return { ...mapNode(insert, (node) => (node === select ? timed : undefined)), columns }
}
