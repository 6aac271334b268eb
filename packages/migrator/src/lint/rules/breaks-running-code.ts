import type { SqlNode } from '../../sql/parse-sql.ts'
import { alterCommands } from '../alter-command.ts'
import type { Problem } from '../finding.ts'
import { display, findNodes, type LintContext, type TableName } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

/** Changes that the version of the service that still runs does not survive. */
export const breaksRunningCode: LintRule = {
  name: 'breaks-running-code',
  check: (statement, context) => {
    const { kind, node } = statement
    const table = context.nameOf(node.relation)
    if (kind === 'RenameStmt' && renamed.has(String(node.renameType)) && !context.isNew(table))
      return [changed(`the rename of ${whatOf(node)}`, table)]
    if (kind === 'AlterObjectSchemaStmt' && renamed.has(String(node.objectType)) && !context.isNew(table))
      return [changed('SET SCHEMA', table)]
    if (kind === 'AlterEnumStmt' && node.oldVal !== undefined)
      return [changed(`the rename of '${node.oldVal}'`, undefined)]
    const dropped = kind === 'DropStmt' ? droppable[String(node.removeType)] : undefined
    if (dropped !== undefined) return [warning(`DROP ${dropped} cannot be undone`, undefined)]
    if (kind === 'TruncateStmt') return truncated(node, context)
    return alterCommands(statement, context).flatMap(({ subtype, table: at, name }) =>
      subtype === 'AT_DropColumn' && !context.isNew(at)
        ? [
            {
              ...warning(
                `DROP COLUMN ${name} cannot be undone and breaks the version that still reads it`,
                display(at),
              ),
              lock: 'AccessExclusiveLock' as const,
            },
          ]
        : [],
    )
  },
}

/** What queries name. */
const renamed = new Set(
  'TABLE COLUMN VIEW MATVIEW FOREIGN_TABLE SCHEMA FUNCTION PROCEDURE ROUTINE AGGREGATE TYPE DOMAIN ATTRIBUTE SEQUENCE'
    .split(' ')
    .map((what) => `OBJECT_${what}`),
)

function whatOf({ renameType, subname }: SqlNode): string {
  const what = String(renameType).replace('OBJECT_', '').replace('_', ' ').toLowerCase()
  return typeof subname === 'string' ? `${what} ${subname}` : `the ${what}`
}

function changed(what: string, table: TableName | undefined): Problem {
  return {
    ...warning(`${what} breaks every query of the version that still runs`, table && display(table)),
    ...(table && { lock: 'AccessExclusiveLock' as const }),
    remedy:
      'Add the new name beside the old one (a view, or a column kept equal by a trigger), deploy code that uses it, then drop the old one.',
  }
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
      rewrites: true,
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
