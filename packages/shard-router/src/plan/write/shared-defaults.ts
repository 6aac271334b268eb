import type { OperationNode } from 'kysely'
import { refuse } from '../refuse.ts'
import { defaultKind, takesSequence } from './column-defaults.ts'
import type { LeftColumn, LeftDefaults } from './left-defaults.ts'

/** The first column of a sharded table that the statement leaves to a default which only one PostgreSQL can give. */
export function sharedDefault(root: OperationNode, left: LeftDefaults): LeftColumn | undefined {
  return left
    .of(root)
    .find((found) => found?.table.kind === 'sharded' && defaultKind(found.column, left.catalog) === 'shared')
}

/** @throws RoutingError VOLATILE_IN_SPLIT */
export function refuseSharedDefaults(root: OperationNode, left: LeftDefaults): void {
  const found = sharedDefault(root, left)
  if (!found) return
  const { table, column } = found
  const name = `${table.name}.${column.name}`
  refuse(
    'VOLATILE_IN_SPLIT',
    takesSequence(column)
      ? `'${name}' takes its default from a sequence, and each shard has its own.`
      : `'${name}' takes its default from \`${column.defaultSql}\`, which each shard would compute for itself.`,
    'Give the rows values of their own (for ids: uuidv7, or a sharded id), or insert per shard key.',
    { table: table.name, column: column.name },
  )
}
