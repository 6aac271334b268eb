import type { SqlNode } from '../../sql/parse-sql.ts'
import { alterCommands } from '../alter-command.ts'
import type { Problem } from '../finding.ts'
import { display, findNodes, type LintContext } from '../lint-context.ts'
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
    if (kind === 'AlterObjectSchemaStmt' && node.objectType === 'OBJECT_TABLE' && !context.isNew(table))
      return [warning('SET SCHEMA breaks every query of the version that still runs', table && display(table))]
    const dropped = kind === 'DropStmt' ? droppable[String(node.removeType)] : undefined
    if (dropped !== undefined) return [warning(`DROP ${dropped} cannot be undone`, undefined)]
    if (kind === 'TruncateStmt') return truncated(node, context)
    return alterCommands(statement, context).flatMap(({ subtype, table: at, name }) =>
      subtype === 'AT_DropColumn' && !context.isNew(at)
        ? [warning(`DROP COLUMN ${name} cannot be undone and breaks the version that still reads it`, display(at))]
        : [],
    )
  },
}

const droppable: Readonly<Record<string, string>> = {
  OBJECT_TABLE: 'TABLE',
  OBJECT_SCHEMA: 'SCHEMA',
  OBJECT_VIEW: 'VIEW',
  OBJECT_MATVIEW: 'MATERIALIZED VIEW',
}

function truncated(node: SqlNode, context: LintContext): readonly Problem[] {
  return findNodes(node.relations, 'RangeVar')
    .map((relation) => context.nameOf(relation))
    .filter((table) => table !== undefined && !context.isNew(table))
    .map((table) => ({
      ...warning('TRUNCATE cannot be undone, and everybody waits for it', table && display(table)),
      lock: 'AccessExclusiveLock' as const,
    }))
}

function warning(message: string, table: string | undefined): Problem {
  return {
    severity: 'warning',
    table,
    message,
    remedy: 'First deploy code that does without it, then run this migration.',
  }
}
