import { optionIsOn } from '../../connection/statement-kind.ts'
import { display } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

/** Index work that holds writers (or everybody) off for as long as it takes. */
export const indexWithoutConcurrently: LintRule = {
  name: 'index-without-concurrently',
  check: ({ kind, node }, context) => {
    const table = context.nameOf(node.relation)
    if (kind === 'IndexStmt') context.rememberIndex(table, node)
    if (kind === 'IndexStmt' && !node.concurrent && table && !context.isNew(table)) {
      return [
        {
          severity: 'error',
          table: display(table),
          lock: 'ShareLock',
          message: 'CREATE INDEX holds every writer off until the index is built',
          remedy:
            'CREATE INDEX CONCURRENTLY in a migration of its own with `transaction: false`. On a partitioned table: CREATE INDEX ON ONLY, then CONCURRENTLY per partition, then ALTER INDEX ... ATTACH PARTITION.',
        },
      ]
    }
    if (kind === 'DropStmt' && node.removeType === 'OBJECT_INDEX' && !node.concurrent) {
      return [
        {
          severity: 'warning',
          message: 'DROP INDEX waits for, and holds off, everybody on the table',
          remedy: 'DROP INDEX CONCURRENTLY in a migration of its own with `transaction: false`.',
        },
      ]
    }
    if (kind === 'ReindexStmt' && !optionIsOn(node.params, 'concurrently')) {
      const index = node.kind === 'REINDEX_OBJECT_INDEX'
      return [
        {
          severity: 'error',
          table: table && display(table),
          lock: index ? 'AccessExclusiveLock' : 'ShareLock',
          rewrites: index,
          message:
            'REINDEX holds every writer off, and every reader too: planning a query locks all indexes of its tables',
          remedy: 'REINDEX ... CONCURRENTLY in a migration of its own with `transaction: false`.',
        },
      ]
    }
    return []
  },
}
