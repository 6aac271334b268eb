import type { SqlNode } from '../../sql/parse-sql.ts'
import { type AlterCommand, alterCommands, type ConstraintDefinition } from '../alter-command.ts'
import type { Problem } from '../finding.ts'
import { display, type LintContext, type TableName } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

/** ADD CONSTRAINT that proves itself over the whole table under its lock. */
export const constraintValidatedAtOnce: LintRule = {
  name: 'constraint-validated-at-once',
  check: (statement, context) => {
    if (statement.kind === 'AlterDomainStmt') return domainProblems(statement.node, context)
    return alterCommands(statement, context).flatMap((command, _, commands) => {
      if (context.isNew(command.table)) return []
      if (command.subtype === 'AT_ValidateConstraint') return validatedTooSoon(command, commands, context)
      if (command.subtype !== 'AT_AddConstraint') return []
      const { constraint, table } = command
      if (constraint?.skip_validation) context.rememberUnproven(table, constraint.conname ?? '', constraint.contype)
      return problemsOf(command, context)
    })
  },
}

/** A domain's constraint is proven over every table that has a column of the domain. */
function domainProblems(node: SqlNode, context: LintContext): readonly Problem[] {
  if (context.isNew(context.domainOf(node.typeName))) return []
  const { Constraint: constraint } = (node.def ?? {}) as { Constraint?: ConstraintDefinition }
  const what = {
    C: constraint?.skip_validation ? undefined : 'ADD CONSTRAINT',
    O: 'SET NOT NULL',
    V: 'VALIDATE CONSTRAINT',
  }[String(node.subtype)]
  if (what === undefined) return []
  return [
    {
      severity: 'error',
      lock: 'ShareLock',
      message: `ALTER DOMAIN ... ${what} reads every table that has the domain, while all their writers wait`,
      remedy:
        'ADD CONSTRAINT ... CHECK ... NOT VALID holds nobody off and checks what is written from then on; prove the old rows by a CHECK on each table, NOT VALID and then VALIDATE. The domain itself stays NOT VALID.',
    },
  ]
}

/** Within one transaction, or one statement, the lock of ADD CONSTRAINT is still held while VALIDATE reads the table. */
function validatedTooSoon(
  { table, name = '' }: AlterCommand,
  commands: readonly AlterCommand[],
  context: LintContext,
): readonly Problem[] {
  const together = commands.find(({ constraint }) => constraint?.skip_validation && constraint.conname === name)
  const kind = together?.constraint?.contype ?? (context.transaction ? context.addedUnproven(table, name) : undefined)
  if (kind === undefined) return []
  return [
    {
      severity: 'error',
      table: display(table),
      lock: kind === 'CONSTR_FOREIGN' ? 'ShareRowExclusiveLock' : 'AccessExclusiveLock',
      message: `VALIDATE CONSTRAINT ${name} reads all rows under the lock of the ADD CONSTRAINT before it`,
      remedy: 'Put VALIDATE CONSTRAINT into the next migration.',
    },
  ]
}

function problemsOf({ constraint, table }: AlterCommand, context: LintContext): readonly Problem[] {
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
      if (constraint.indexname !== undefined) return usingIndex(table, constraint, context)
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

/** A primary key makes its columns NOT NULL, and reads the table for each that is not yet. */
function usingIndex(
  table: TableName,
  { contype, indexname = '' }: ConstraintDefinition,
  context: LintContext,
): readonly Problem[] {
  if (contype !== 'CONSTR_PRIMARY' || context.isIndexNotNull(table, indexname)) return []
  return [
    {
      severity: 'warning',
      table: display(table),
      lock: 'AccessExclusiveLock',
      message: 'the whole table is read while nobody can use it, if a column of the primary key may be null',
      remedy: 'First make each column NOT NULL by the steps of set-not-null; if all of them are, allow this rule here.',
    },
  ]
}
