import type { ParsedStatement } from '../sql/parse-sql.ts'
import type { Problem } from './finding.ts'
import type { LintContext } from './lint-context.ts'

/** One thing to look for. `check` is pure and sees one statement at a time, in order. */
export interface LintRule {
  /** As in `allow`. */
  readonly name: string
  readonly check: (statement: ParsedStatement, context: LintContext) => readonly Problem[]
}
