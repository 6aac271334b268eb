import { type AlterCommand, alterCommands } from '../alter-command.ts'
import type { Problem } from '../finding.ts'
import { display, type LintContext } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

/** ADD CONSTRAINT that proves itself over the whole table under its lock. */
export const constraintValidatedAtOnce: LintRule = {
  name: 'constraint-validated-at-once',
  check: (statement, context) =>
    alterCommands(statement, context).flatMap((command, _, commands) => {
      if (context.isNew(command.table)) return []
      if (command.subtype === 'AT_ValidateConstraint') return validatedTooSoon(command, commands, context)
      if (command.subtype !== 'AT_AddConstraint') return []
      const { constraint, table } = command
      if (constraint?.skip_validation) context.rememberUnproven(table, constraint.conname ?? '')
      return problemsOf(command)
    }),
}

/** Within one transaction, or one statement, the lock of ADD CONSTRAINT is still held while VALIDATE reads the table. */
function validatedTooSoon(
  { table, name = '' }: AlterCommand,
  commands: readonly AlterCommand[],
  context: LintContext,
): readonly Problem[] {
  const together = commands.some(({ constraint }) => constraint?.skip_validation && constraint.conname === name)
  if (!together && !(context.transaction && context.addedUnproven(table, name))) return []
  return [
    {
      severity: 'error',
      table: display(table),
      lock: 'ShareRowExclusiveLock',
      message: `VALIDATE CONSTRAINT ${name} reads all rows under the lock of the ADD CONSTRAINT before it`,
      remedy: 'Put VALIDATE CONSTRAINT into the next migration.',
    },
  ]
}

function problemsOf({ constraint, table }: AlterCommand): readonly Problem[] {
  if (!constraint || constraint.skip_validation) return []
  const at = { severity: 'error' as const, table: display(table) }
  switch (constraint.contype) {
    case 'CONSTR_FOREIGN':
      return [
        {
          ...at,
          lock: 'ShareRowExclusiveLock',
          message: 'the foreign key is proven over all rows while writers of both tables wait',
          remedy: 'ADD CONSTRAINT ... NOT VALID, then VALIDATE CONSTRAINT in the next migration.',
        },
      ]
    case 'CONSTR_CHECK':
    case 'CONSTR_NOTNULL':
      return [
        {
          ...at,
          lock: 'AccessExclusiveLock',
          message: 'the constraint is proven over all rows while nobody can read or write the table',
          remedy: 'ADD CONSTRAINT ... NOT VALID, then VALIDATE CONSTRAINT in the next migration.',
        },
      ]
    case 'CONSTR_UNIQUE':
    case 'CONSTR_PRIMARY':
      if (constraint.indexname !== undefined) return []
      return [
        {
          ...at,
          lock: 'AccessExclusiveLock',
          message: 'the index of the constraint is built while nobody can read or write the table',
          remedy: 'CREATE UNIQUE INDEX CONCURRENTLY first (`transaction: false`), then ADD CONSTRAINT ... USING INDEX.',
        },
      ]
    case 'CONSTR_EXCLUSION':
      return [
        {
          ...at,
          lock: 'AccessExclusiveLock',
          message: 'an exclusion constraint is built while nobody can read or write the table',
          remedy:
            'There is no concurrent way: do it on a new table, or in a maintenance window with this rule allowed.',
        },
      ]
    default:
      return []
  }
}
