import { alterCommands } from '../alter-command.ts'
import { display, stringsOf } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

/** SET NOT NULL reads the whole table under an AccessExclusiveLock, unless a validated CHECK has proven it. */
export const setNotNull: LintRule = {
  name: 'set-not-null',
  check: (statement, context) =>
    alterCommands(statement, context).flatMap(({ subtype, table, name, constraint }) => {
      if (subtype === 'AT_AddConstraint' && constraint?.contype === 'CONSTR_CHECK') {
        for (const column of provenNotNull(constraint.raw_expr))
          context.rememberCheck(table, constraint.conname ?? '', column)
        if (!constraint.skip_validation) context.markValidated(table, constraint.conname ?? '')
      }
      if (subtype === 'AT_ValidateConstraint') context.markValidated(table, name ?? '')
      if (subtype !== 'AT_SetNotNull') return []
      const known = context.isNew(table) || context.isKnownNotNull(table, name ?? '')
      context.markNotNull(table, name ?? '')
      if (known) return []
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

interface Test {
  readonly NullTest?: {
    readonly nulltesttype?: string
    readonly arg?: { readonly ColumnRef?: { readonly fields?: unknown } }
  }
  readonly BoolExpr?: { readonly boolop?: string; readonly args?: readonly Test[] }
}

/** The columns that a CHECK proves: what stands under OR or NOT proves nothing. */
function provenNotNull(expression: unknown): readonly string[] {
  const { NullTest: test, BoolExpr: parts } = (expression ?? {}) as Test
  if (test?.nulltesttype === 'IS_NOT_NULL') return stringsOf(test.arg?.ColumnRef?.fields).slice(0, 1)
  return parts?.boolop === 'AND_EXPR' ? (parts.args ?? []).flatMap(provenNotNull) : []
}
