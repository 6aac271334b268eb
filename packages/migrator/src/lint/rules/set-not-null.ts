import { alterCommands } from '../alter-command.ts'
import { display, findNodes, stringsOf } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

/** SET NOT NULL reads the whole table under an AccessExclusiveLock, unless a validated CHECK has proven it. */
export const setNotNull: LintRule = {
  name: 'set-not-null',
  check: (statement, context) =>
    alterCommands(statement, context).flatMap(({ subtype, table, name, constraint }) => {
      if (subtype === 'AT_AddConstraint' && constraint?.contype === 'CONSTR_CHECK') {
        const [test] = findNodes(constraint.raw_expr, 'NullTest')
        const column =
          test?.nulltesttype === 'IS_NOT_NULL' &&
          stringsOf((test.arg as { ColumnRef?: { fields?: unknown } }).ColumnRef?.fields)[0]
        if (column) context.rememberCheck(table, constraint.conname ?? '', column)
        if (column && !constraint.skip_validation) context.markValidated(table, constraint.conname ?? '')
      }
      if (subtype === 'AT_ValidateConstraint') context.markValidated(table, name ?? '')
      if (subtype !== 'AT_SetNotNull' || context.isNew(table) || context.isKnownNotNull(table, name ?? '')) return []
      return [
        {
          severity: 'error',
          table: display(table),
          lock: 'AccessExclusiveLock',
          message: `SET NOT NULL on ${name} reads the whole table while nobody can read or write it`,
          remedy: `ADD CONSTRAINT ${table.table}_${name}_not_null CHECK (${name} IS NOT NULL) NOT VALID; in the next migration VALIDATE CONSTRAINT, then SET NOT NULL (it then takes an instant) and drop the CHECK. If that was done earlier, allow this rule here.`,
        },
      ]
    }),
}
