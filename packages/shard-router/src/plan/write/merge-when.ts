import type { InsertQueryNode, MergeQueryNode } from 'kysely'

/** The rows that a MERGE inserts, one INSERT for each WHEN that has one. */
export function mergeInserts(node: MergeQueryNode): readonly InsertQueryNode[] {
  return (node.whens ?? []).flatMap((when) =>
    when.result?.kind === 'InsertQueryNode' ? [when.result as InsertQueryNode] : [],
  )
}
