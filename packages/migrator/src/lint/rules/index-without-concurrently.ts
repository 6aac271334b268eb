import { display, stringsOf } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

/** Index work that holds writers (or everybody) off for as long as it takes. */
export const indexWithoutConcurrently: LintRule = {
  name: 'index-without-concurrently',
  check: ({ kind, node }, context) => {
    const table = context.nameOf(node.relation)
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
    if (kind === 'ReindexStmt' && !isConcurrent(node.params)) {
      return [
        {
          severity: 'error',
          table: table && display(table),
          lock: 'ShareLock',
          message: 'REINDEX holds every writer off',
          remedy: 'REINDEX ... CONCURRENTLY in a migration of its own with `transaction: false`.',
        },
      ]
    }
    return []
  },
}

function isConcurrent(parameters: unknown): boolean {
  const list = (parameters ?? []) as readonly { DefElem?: { defname?: string } }[]
  return (
    list.some((entry) => entry.DefElem?.defname === 'concurrently') || stringsOf(parameters).includes('concurrently')
  )
}
