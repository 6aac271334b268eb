import type { SqlNode } from '../../sql/parse-sql.ts'
import { alterCommands } from '../alter-command.ts'
import type { Problem } from '../finding.ts'
import { display, findNodes, type LintContext } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

/** ATTACH PARTITION reads the whole table that it attaches, unless a validated CHECK has proven its bounds. */
export const attachPartition: LintRule = {
  name: 'attach-partition',
  check: (statement, context) => {
    if (statement.kind === 'CreateStmt' && statement.node.partbound) return partitionOf(statement.node, context)
    return alterCommands(statement, context).flatMap(({ subtype, node }) => {
      if (subtype !== 'AT_AttachPartition') return []
      const child = context.nameOf((node.def as { PartitionCmd?: { name?: unknown } } | undefined)?.PartitionCmd?.name)
      if (!child || context.isNew(child) || context.hasProvenCheck(child)) return []
      return [
        {
          severity: 'error',
          table: display(child),
          lock: 'AccessExclusiveLock',
          message: 'ATTACH PARTITION reads all rows of the table that it attaches while nobody can read or write it',
          remedy:
            'First ADD CONSTRAINT ... CHECK (key IS NOT NULL AND key >= from AND key < to) NOT VALID, in the next migration VALIDATE CONSTRAINT, then ATTACH (it then takes an instant) and drop the CHECK; `attachPartition` of the partition-manager does all of it. If that was done earlier, allow this rule here.',
        },
      ]
    })
  },
}

function partitionOf({ inhRelations }: SqlNode, context: LintContext): readonly Problem[] {
  return findNodes(inhRelations, 'RangeVar')
    .map((relation) => context.nameOf(relation))
    .filter((parent) => parent !== undefined && !context.isNew(parent))
    .map((parent) => ({
      severity: 'warning',
      table: parent && display(parent),
      lock: 'AccessExclusiveLock',
      message:
        'CREATE TABLE ... PARTITION OF waits for, and holds off, everybody on the parent, and reads its DEFAULT partition',
      remedy:
        'CREATE TABLE ... (LIKE parent INCLUDING ...), then ATTACH PARTITION, which lets readers and writers in; or leave it to the partition-manager.',
    }))
}
