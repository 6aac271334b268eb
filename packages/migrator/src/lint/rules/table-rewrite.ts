import { optionIsOn } from '../../connection/statement-kind.ts'
import { alterCommands } from '../alter-command.ts'
import type { Problem } from '../finding.ts'
import { display, type LintContext } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

const rewriting: Readonly<Record<string, string>> = {
  AT_AlterColumnType: 'ALTER COLUMN ... TYPE',
  AT_SetExpression: 'SET EXPRESSION of column',
  AT_SetLogged: 'SET LOGGED',
  AT_SetUnLogged: 'SET UNLOGGED',
  AT_SetTableSpace: 'SET TABLESPACE',
  AT_SetAccessMethod: 'SET ACCESS METHOD',
}

/** Statements that write the table anew, or may, while nobody can read it. */
export const tableRewrite: LintRule = {
  name: 'table-rewrite',
  check: (statement, context) => {
    const { kind, node } = statement
    if (kind === 'ClusterStmt') return whole('CLUSTER', [node.relation], context)
    if (kind === 'VacuumStmt' && optionIsOn(node.options, 'full')) {
      return whole('VACUUM FULL', relationsOf(node.rels), context)
    }
    return alterCommands(statement, context).flatMap(({ subtype, table, name }) => {
      const what = rewriting[subtype]
      return what === undefined || context.isNew(table) ? [] : [problem(`${what} ${name ?? ''}`.trim(), display(table))]
    })
  },
}

function problem(what: string, table: string | undefined): Problem {
  return {
    severity: 'error',
    table,
    lock: 'AccessExclusiveLock',
    rewrites: true,
    message: `${what} writes the table and its indexes anew while nobody can read or write it`,
    remedy: what.startsWith('ALTER COLUMN')
      ? 'Add a new column, keep both equal with a trigger, fill old rows in batches, then swap. A longer varchar, or varchar to text, needs no rewrite: allow this rule then.'
      : 'Do it in a maintenance window with this rule allowed, or move the rows to a new table in batches.',
  }
}

/** One problem for each table; one for all where none is named. */
function whole(what: string, relations: readonly unknown[], context: LintContext): readonly Problem[] {
  const tables = relations.map((relation) => context.nameOf(relation)).filter((table) => table !== undefined)
  if (tables.length === 0) return [problem(what, undefined)]
  return tables.filter((table) => !context.isNew(table)).map((table) => problem(what, display(table)))
}

function relationsOf(list: unknown): readonly unknown[] {
  const entries = (list ?? []) as readonly { VacuumRelation?: { relation?: unknown } }[]
  return entries.map((entry) => entry.VacuumRelation?.relation)
}
