import { alterCommands } from '../alter-command.ts'
import type { Problem } from '../finding.ts'
import { display, type LintContext, stringsOf, type TableName } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'
import { type Write, writesOf } from '../writes.ts'

const altering = new Set(['AT_AlterColumnType', 'AT_DropColumn', 'AT_DropNotNull'])

/** The key decides where a row lives: it is not changed, retyped, renamed or dropped in place. */
export const keyAltered: LintRule = {
  name: 'key-altered',
  check: (statement, context) => {
    const { kind, node } = statement
    const table = context.nameOf(node.relation)
    const assigned = writesOf(statement).flatMap((write) =>
      columnsSet(write).flatMap((column) =>
        problems(context.nameOf(write.node.relation), column, `${verbs[write.kind]} sets`, context),
      ),
    )
    if (assigned.length > 0) return assigned
    if (kind === 'RenameStmt' && node.renameType === 'OBJECT_COLUMN') {
      return problems(table, node.subname as string | undefined, 'RENAME COLUMN renames', context)
    }
    return alterCommands(statement, context).flatMap(({ subtype, table: at, name }) =>
      altering.has(subtype) ? problems(at, name, 'ALTER TABLE changes', context) : [],
    )
  },
}

const verbs = { UpdateStmt: 'UPDATE', InsertStmt: 'ON CONFLICT DO UPDATE', MergeStmt: 'MERGE' } as const

interface Assignments {
  readonly targetList?: readonly { readonly ResTarget?: { readonly name?: string; readonly val?: unknown } }[]
}

/** Columns that an existing row is given another value in; `x = excluded.x` gives the key of the conflict its own. */
function columnsSet({ kind, node }: Write): readonly (string | undefined)[] {
  if (kind === 'UpdateStmt') return names(node as Assignments)
  if (kind === 'InsertStmt') {
    const { targetList = [] } = (node.onConflictClause ?? {}) as Assignments
    return names({ targetList: targetList.filter(({ ResTarget: target }) => !isExcluded(target?.name, target?.val)) })
  }
  const branches = (node.mergeWhenClauses ?? []) as readonly {
    MergeWhenClause?: Assignments & { readonly commandType?: string }
  }[]
  return branches.flatMap(({ MergeWhenClause: branch }) => (branch?.commandType === 'CMD_UPDATE' ? names(branch) : []))
}

function names({ targetList = [] }: Assignments): readonly (string | undefined)[] {
  return targetList.map((target) => target.ResTarget?.name)
}

function isExcluded(column: string | undefined, value: unknown): boolean {
  const [table, name] = stringsOf((value as { ColumnRef?: { fields?: unknown } } | undefined)?.ColumnRef?.fields)
  return table === 'excluded' && name === column
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
