import type { Schema } from '@shardwright/core'
import {
  type AliasNode,
  type DeleteQueryNode,
  type IdentifierNode,
  type InsertQueryNode,
  type OperationNode,
  SelectAllNode,
  SelectionNode,
  TableNode,
  type UpdateQueryNode,
} from 'kysely'
import { Analyzer } from '../analyzer.ts'
import type { Catalog } from '../catalog.ts'
import { compileTemplate } from '../compile.ts'
import type { ReferenceWrite } from '../multi-shard.ts'
import type { PreparedPlan } from '../prepared-plan.ts'
import { refuse } from '../refuse.ts'
import { assignedColumns } from './key-update.ts'
import { LeftDefaults } from './left-defaults.ts'
import { isSameOnCopies } from './same-on-copies.ts'
import { writtenItem, writtenPlacement, writtenTable } from './written-table.ts'

/**
 * A write to a reference table. Statements that give the same rows on every copy are repeated; what the lead computes
 * for itself (defaults, sequences, clocks, random values) is sent to the other copies as values.
 */
export function planReferenceWrite(plan: PreparedPlan, schema: Schema, catalog: Catalog): ReferenceWrite {
  if (plan.accesses.some((access) => access.kind === 'sharded' || access.kind === 'single')) {
    refuse(
      'CROSS_SHARD_WRITE',
      'A write to a reference table reads tables whose rows differ from shard to shard.',
      'Read them first, and pass what was found as parameters.',
    )
  }
  const placement = writtenPlacement(plan.root, schema)
  const described = placement && catalog.table(placement.schema, placement.table)
  const repeated = placement !== undefined && isSameOnCopies(plan, new LeftDefaults(schema, catalog, plan))
  if (plan.kind === 'merge' && repeated) return repeatedStatement(plan)
  if (!placement || !described || plan.kind === 'merge' || plan.kind === 'select') {
    return refuse(
      'CROSS_SHARD_WRITE',
      'This write to a reference table cannot be copied.',
      'Use INSERT, UPDATE or DELETE, or give all values in the statement.',
    )
  }
  const analyzer = new Analyzer(schema, catalog, plan.parameters, plan.gathered)
  const node = plan.root as InsertQueryNode | UpdateQueryNode | DeleteQueryNode
  const returned = node.returning?.selections ?? []
  const statement = repeated
    ? plan.root
    : {
        ...node,
        returning: { kind: 'ReturningNode', selections: [...returned, wholeRow(plan.root)] },
      }
  if (!repeated && described.primaryKey.length === 0) {
    refuse(
      'VOLATILE_IN_SPLIT',
      `'${placement.name}' has no primary key, so rows that the lead computes cannot be copied.`,
      'Give the table a primary key, or give all values in the statement.',
    )
  }
  if (!repeated) refuseKeyChange(node, described.primaryKey)
  return {
    table: { schema: placement.schema, table: placement.table },
    statement: compileTemplate(statement as OperationNode, analyzer.parameters),
    how: repeated ? 'repeat' : 'copy',
    primaryKey: described.primaryKey,
    columns: described.columns.filter((column) => !column.generated).map((column) => column.name),
    returning: node.returning !== undefined,
    kind: plan.kind,
  }
}

/** A statement of reference tables only, which every copy runs as it is. */
export function repeatedStatement(plan: PreparedPlan): ReferenceWrite {
  return {
    table: { schema: '', table: '' },
    statement: compileTemplate(plan.root, plan.parameters),
    how: 'repeat',
    primaryKey: [],
    columns: [],
    returning: true,
    kind: 'statement',
  }
}

/** The target's columns only: `*` would add those of FROM and USING. */
function wholeRow(root: OperationNode): SelectionNode {
  const item = writtenItem(root)
  const alias = item?.kind === 'AliasNode' ? ((item as AliasNode).alias as IdentifierNode).name : undefined
  const name = alias ?? writtenTable(root)?.table.identifier.name
  return name === undefined
    ? SelectionNode.create(SelectAllNode.create())
    : SelectionNode.createSelectAllFromTable(TableNode.create(name))
}

/** The other copies find a row by its primary key, which must be the one it had. */
function refuseKeyChange(node: OperationNode, primaryKey: readonly string[]): void {
  const updates = (node as UpdateQueryNode).updates ?? (node as InsertQueryNode).onConflict?.updates ?? []
  const changed = updates.flatMap(({ column }) => assignedColumns(column)).find((name) => primaryKey.includes(name))
  if (changed === undefined) return
  refuse(
    'CROSS_SHARD_WRITE',
    `The statement sets '${changed}', by which the copies of a reference table find the rows that the first one computed.`,
    'Give all values in the statement, or delete the rows and insert them.',
    { column: changed },
  )
}
