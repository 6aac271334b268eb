import { display } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'
import { writesOf } from '../writes.ts'

/** A migration runs on each shard: rows that it writes into a sharded table would be on all of them. */
export const rowsOnEveryShard: LintRule = {
  name: 'rows-on-every-shard',
  check: (statement, context) => {
    const { kind, node } = statement
    const inserted = writesOf(statement).filter(
      ({ kind: own, node: insert }) => own === 'InsertStmt' && hasValues(insert),
    )
    const copied = kind === 'CopyStmt' && node.is_from ? [node.relation] : []
    return [...copied, ...inserted.map((write) => write.node.relation)].flatMap((relation) => {
      const table = context.nameOf(relation)
      if (!table || context.placementOf(table)?.kind !== 'sharded') return []
      return [
        {
          // What a TypeScript migration writes may depend on `context.shard`.
          severity: copied.length > 0 ? ('error' as const) : ('warning' as const),
          table: display(table),
          message: 'a migration runs on each shard, so these rows of a sharded table would be on all of them',
          remedy: 'Write them through the router, which knows the shard of each row.',
        },
      ]
    })
  },
}

function hasValues({ selectStmt }: { readonly selectStmt?: unknown }): boolean {
  return (selectStmt as { SelectStmt?: { valuesLists?: unknown } } | undefined)?.SelectStmt?.valuesLists !== undefined
}
