import { alterCommands } from '../alter-command.ts'
import type { Problem } from '../finding.ts'
import { display } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

/** Changes that the version of the service that still runs does not survive. */
export const breaksRunningCode: LintRule = {
  name: 'breaks-running-code',
  check: (statement, context) => {
    const { kind, node } = statement
    const table = context.nameOf(node.relation)
    if (
      kind === 'RenameStmt' &&
      (node.renameType === 'OBJECT_TABLE' || node.renameType === 'OBJECT_COLUMN') &&
      !context.isNew(table)
    ) {
      return [warning('a rename breaks every query of the version that still runs', table && display(table))]
    }
    if (kind === 'DropStmt' && node.removeType === 'OBJECT_TABLE')
      return [warning('DROP TABLE cannot be undone', undefined)]
    return alterCommands(statement, context).flatMap(({ subtype, table: at, name }) =>
      subtype === 'AT_DropColumn' && !context.isNew(at)
        ? [warning(`DROP COLUMN ${name} cannot be undone and breaks the version that still reads it`, display(at))]
        : [],
    )
  },
}

function warning(message: string, table: string | undefined): Problem {
  return {
    severity: 'warning',
    table,
    message,
    remedy: 'First deploy code that does without it, then run this migration.',
  }
}
