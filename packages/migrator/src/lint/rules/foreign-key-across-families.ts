import type { TablePlacement } from '@shardwright/core'
import type { ParsedStatement } from '../../sql/parse-sql.ts'
import { alterCommands, type ConstraintDefinition, columnConstraints, tableElements } from '../alter-command.ts'
import type { Problem } from '../finding.ts'
import { display, type LintContext, stringsOf, type TableName } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

interface ForeignKey {
  readonly from: TableName
  readonly columns: readonly string[]
  readonly to: TableName
  /** Empty: the primary key of `to`. */
  readonly referenced: readonly string[]
}

/** A foreign key is checked on its own shard only, so what it points at must live there. */
export const foreignKeyAcrossFamilies: LintRule = {
  name: 'foreign-key-across-families',
  check: (statement, context) =>
    foreignKeys(statement, context).flatMap((key): readonly Problem[] => {
      const from = context.placementOf(key.from)
      const to = context.placementOf(key.to)
      const why = from && to ? whyNotLocal(from, to, key) : undefined
      return why === undefined
        ? []
        : [
            {
              severity: 'error',
              table: display(key.from),
              message: `the foreign key to ${display(key.to)} ${why}`,
              remedy:
                'Reference a table of the same family with the shard key among the columns, or a reference table.',
            },
          ]
    }),
}

/** Why the referenced row may be on another shard; undefined when it cannot be. */
export function whyNotLocal(
  from: TablePlacement,
  to: TablePlacement,
  key: Pick<ForeignKey, 'columns' | 'referenced'>,
): string | undefined {
  if (to.kind === 'reference') return undefined
  if (to.kind === 'single')
    return from.kind === 'single' && from.shard === to.shard ? undefined : `points at a table that only ${to.shard} has`
  if (from.kind !== 'sharded') return 'points from a table that is not sharded at rows of one shard'
  if (from.family !== to.family)
    return `leaves the family ${from.family} for ${to.family}: the row may live on another shard`
  const position = key.columns.indexOf(from.key)
  if (position === -1) return `leaves out the shard key ${from.key}: the row may live on another shard`
  if (key.referenced.length > 0 && key.referenced[position] !== to.key)
    return `does not set ${from.key} against ${to.key}, the shard key there`
  return undefined
}

function foreignKeys(statement: ParsedStatement, context: LintContext): readonly ForeignKey[] {
  const { kind, node } = statement
  const table = context.nameOf(node.relation)
  if (kind === 'CreateStmt' && table) {
    const { columns, constraints } = tableElements(node)
    const inline = columns.flatMap((column) =>
      columnConstraints(column).map((entry) => foreignKey(table, entry, context, [column.colname])),
    )
    return [...inline, ...constraints.map((entry) => foreignKey(table, entry, context))].filter(
      (entry) => entry !== undefined,
    )
  }
  return alterCommands(statement, context).flatMap(({ table: at, constraint, column }) => {
    const inline = column
      ? columnConstraints(column).map((entry) => foreignKey(at, entry, context, [column.colname]))
      : []
    return [...inline, constraint && foreignKey(at, constraint, context)].filter((entry) => entry !== undefined)
  })
}

function foreignKey(
  from: TableName,
  constraint: ConstraintDefinition,
  context: LintContext,
  own?: readonly string[],
): ForeignKey | undefined {
  const to = context.nameOf(constraint.pktable)
  if (constraint.contype !== 'CONSTR_FOREIGN' || !to) return undefined
  return { from, to, columns: own ?? stringsOf(constraint.fk_attrs), referenced: stringsOf(constraint.pk_attrs) }
}
