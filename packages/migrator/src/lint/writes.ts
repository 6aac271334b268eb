import type { ParsedStatement, SqlNode } from '../sql/parse-sql.ts'
import { findNodes } from './lint-context.ts'

export interface Write {
  readonly kind: 'InsertStmt' | 'UpdateStmt' | 'MergeStmt'
  readonly node: SqlNode
}

const kinds = ['InsertStmt', 'UpdateStmt', 'MergeStmt'] as const

/** The INSERT, UPDATE and MERGE of a statement, those within its WITH too. */
export function writesOf({ kind, node }: ParsedStatement): readonly Write[] {
  const own = kinds.find((candidate) => candidate === kind)
  const within = kinds.flatMap((candidate) =>
    findNodes(node, candidate).map((found) => ({ kind: candidate, node: found })),
  )
  return own ? [{ kind: own, node }, ...within] : within
}
