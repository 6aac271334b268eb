import { alterCommands } from '../alter-command.ts'
import { display } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

/** Statements that keep others waiting although a way exists that does not. */
export const longHold: LintRule = {
  name: 'long-hold',
  check: (statement, context) => {
    const { kind, node } = statement
    const table = context.nameOf(node.relation)
    if (kind === 'RefreshMatViewStmt' && !node.concurrent) {
      return [
        {
          severity: 'error',
          table: table && display(table),
          lock: 'AccessExclusiveLock',
          rewrites: true,
          message: 'REFRESH MATERIALIZED VIEW keeps readers waiting until it is filled',
          remedy: 'REFRESH MATERIALIZED VIEW CONCURRENTLY (it needs a unique index).',
        },
      ]
    }
    if (
      (kind === 'UpdateStmt' || kind === 'DeleteStmt') &&
      !node.whereClause &&
      context.transaction &&
      !context.isNew(table)
    ) {
      return [
        {
          severity: 'warning',
          table: table && display(table),
          message: `${kind === 'UpdateStmt' ? 'UPDATE' : 'DELETE'} without WHERE locks every row until the migration commits`,
          remedy: 'Work in batches, in a migration with `transaction: false`.',
        },
      ]
    }
    if (kind === 'LockStmt') {
      return [
        {
          severity: 'warning',
          message: 'LOCK TABLE keeps others waiting until the migration commits',
          remedy: 'Let the statements that follow take their own locks, or keep the migration short.',
        },
      ]
    }
    return alterCommands(statement, context).flatMap(({ subtype, table: at, node: command }) =>
      subtype === 'AT_DetachPartition' && !isConcurrent(command)
        ? [
            {
              severity: 'warning' as const,
              table: display(at),
              lock: 'AccessExclusiveLock' as const,
              message: 'DETACH PARTITION waits for, and holds off, everybody on the parent',
              remedy:
                'DETACH PARTITION ... CONCURRENTLY with `transaction: false`, or leave it to the partition-manager.',
            },
          ]
        : [],
    )
  },
}

function isConcurrent(command: { readonly def?: unknown }): boolean {
  return (command.def as { PartitionCmd?: { concurrent?: boolean } } | undefined)?.PartitionCmd?.concurrent === true
}
