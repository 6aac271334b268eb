import type { Schema } from '@shardwright/core'
import {
  type AliasNode,
  type DeleteQueryNode,
  type IdentifierNode,
  type InsertQueryNode,
  type MergeQueryNode,
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
import { isSameOnCopies } from './same-on-copies.ts'

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
  const target = targetOf(plan.root)
  const placement = target && schema.find(target.table.identifier.name, target.table.schema?.name)
  const described = placement && catalog.table(placement.schema, placement.table)
  const repeated = placement !== undefined && isSameOnCopies(plan, schema, catalog)
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
  const item = itemOf(root)
  const alias = item?.kind === 'AliasNode' ? ((item as AliasNode).alias as IdentifierNode).name : undefined
  const name = alias ?? targetOf(root)?.table.identifier.name
  return name === undefined
    ? SelectionNode.create(SelectAllNode.create())
    : SelectionNode.createSelectAllFromTable(TableNode.create(name))
}

function targetOf(root: OperationNode): TableNode | undefined {
  const node = itemOf(root)
  if (node?.kind === 'AliasNode') return (node as AliasNode).node as TableNode
  return node?.kind === 'TableNode' ? (node as TableNode) : undefined
}

function itemOf(root: OperationNode): OperationNode | undefined {
  switch (root.kind) {
    case 'InsertQueryNode':
      return (root as InsertQueryNode).into
    case 'UpdateQueryNode':
      return (root as UpdateQueryNode).table
    case 'DeleteQueryNode':
      return (root as DeleteQueryNode).from.froms[0]
    case 'MergeQueryNode':
      return (root as MergeQueryNode).into
    default:
      return undefined
  }
}
