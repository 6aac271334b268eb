import { alterCommands } from '../alter-command.ts'
import type { Problem } from '../finding.ts'
import { display, type LintContext, type TableName } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

const altering = new Set(['AT_AlterColumnType', 'AT_DropColumn', 'AT_DropNotNull'])

/** The key decides where a row lives: it is not changed, retyped, renamed or dropped in place. */
export const keyAltered: LintRule = {
  name: 'key-altered',
  check: (statement, context) => {
    const { kind, node } = statement
    const table = context.nameOf(node.relation)
    if (kind === 'UpdateStmt') {
      const targets = (node.targetList ?? []) as readonly { ResTarget?: { name?: string } }[]
      return targets.flatMap((target) => problems(table, target.ResTarget?.name, 'UPDATE sets', context))
    }
    if (kind === 'RenameStmt' && node.renameType === 'OBJECT_COLUMN') {
      return problems(table, node.subname as string | undefined, 'RENAME COLUMN renames', context)
    }
    return alterCommands(statement, context).flatMap(({ subtype, table: at, name }) =>
      altering.has(subtype) ? problems(at, name, 'ALTER TABLE changes', context) : [],
    )
  },
}

function problems(
  table: TableName | undefined,
  column: string | undefined,
  what: string,
  context: LintContext,
): readonly Problem[] {
  const placement = context.placementOf(table)
  if (!table || placement?.kind !== 'sharded' || column !== placement.key) return []
  return [
    {
      severity: 'error',
      table: display(table),
      message: `${what} the shard key ${column}: rows would be on a shard that does not own them`,
      remedy: 'Make a new table with the new key and move the rows through the router.',
    },
  ]
}
