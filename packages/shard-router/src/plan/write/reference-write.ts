import type { Schema } from '@shardwright/core'
import type { DeleteQueryNode, InsertQueryNode, OperationNode, TableNode, UpdateQueryNode } from 'kysely'
import { SelectAllNode, SelectionNode } from 'kysely'
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
  if (!placement || !described || plan.kind === 'merge' || plan.kind === 'select') {
    return refuse(
      'CROSS_SHARD_WRITE',
      'This write to a reference table cannot be copied.',
      'Use INSERT, UPDATE or DELETE.',
    )
  }
  const analyzer = new Analyzer(schema, catalog, plan.parameters)
  const repeat = isSameOnCopies(plan, described)
  const node = plan.root as InsertQueryNode | UpdateQueryNode | DeleteQueryNode
  const returned = node.returning?.selections ?? []
  const statement = repeat
    ? plan.root
    : {
        ...node,
        returning: { kind: 'ReturningNode', selections: [...returned, SelectionNode.create(SelectAllNode.create())] },
      }
  if (!repeat && described.primaryKey.length === 0) {
    refuse(
      'VOLATILE_IN_SPLIT',
      `'${placement.name}' has no primary key, so rows that the lead computes cannot be copied.`,
      'Give the table a primary key, or give all values in the statement.',
    )
  }
  return {
    table: { schema: placement.schema, table: placement.table },
    statement: compileTemplate(statement as OperationNode, analyzer.parameters),
    how: repeat ? 'repeat' : 'copy',
    primaryKey: described.primaryKey,
    columns: described.columns.filter((column) => !column.generated).map((column) => column.name),
    returning: node.returning !== undefined,
    kind: plan.kind,
  }
}

function targetOf(root: OperationNode): TableNode | undefined {
  const node =
    root.kind === 'InsertQueryNode'
      ? (root as InsertQueryNode).into
      : root.kind === 'UpdateQueryNode'
        ? (root as UpdateQueryNode).table
        : root.kind === 'DeleteQueryNode'
          ? (root as DeleteQueryNode).from.froms[0]
          : undefined
  if (node?.kind === 'AliasNode') return (node as unknown as { node: TableNode }).node
  return node?.kind === 'TableNode' ? (node as TableNode) : undefined
}
