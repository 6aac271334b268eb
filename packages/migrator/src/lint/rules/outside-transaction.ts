import { controlsTransaction, needsNoTransaction } from '../../connection/statement-kind.ts'
import type { LintRule } from '../lint-rule.ts'

/** Statements that cannot run in the mode of their migration. */
export const outsideTransaction: LintRule = {
  name: 'outside-transaction',
  check: (statement, context) => {
    if (!context.transaction) return []
    if (controlsTransaction(statement)) {
      return [
        {
          severity: 'error',
          message: 'the migration runs in a transaction of its own and cannot begin or end one',
          remedy: 'Remove the statement, or declare `transaction: false`.',
        },
      ]
    }
    if (!needsNoTransaction(statement)) return []
    return [
      {
        severity: 'error',
        message: 'PostgreSQL refuses this statement inside a transaction',
        remedy: 'Put it alone into a migration with `transaction: false`.',
      },
    ]
  },
}
