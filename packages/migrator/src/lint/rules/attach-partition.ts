import { alterCommands } from '../alter-command.ts'
import { display } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'

/** ATTACH PARTITION reads the whole table that it attaches, unless a validated CHECK has proven its bounds. */
export const attachPartition: LintRule = {
  name: 'attach-partition',
  check: (statement, context) =>
    alterCommands(statement, context).flatMap(({ subtype, node }) => {
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
    }),
}
