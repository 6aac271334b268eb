import { display } from '../lint-context.ts'
import type { LintRule } from '../lint-rule.ts'
import { volatileFunctions } from '../volatile-expression.ts'
import { writesOf } from '../writes.ts'

/** A migration runs on each shard by itself: what is computed there differs, and a reference table must not. */
export const referenceRowsDiffer: LintRule = {
  name: 'reference-rows-differ',
  check: (statement, context) => {
    const copied =
      statement.kind === 'CopyStmt' && statement.node.is_from ? context.nameOf(statement.node.relation) : undefined
    if (copied && context.placementOf(copied)?.kind === 'reference') {
      return [
        {
          severity: 'error',
          table: display(copied),
          message: 'COPY FROM reads a file or program of each server, so the copies of this reference table may differ',
          remedy: 'Use seedReference of this package, which sends the same rows everywhere.',
        },
      ]
    }
    return writesOf(statement).flatMap(({ node }) => {
      const table = context.nameOf(node.relation)
      const placement = context.placementOf(table)
      const functions = volatileFunctions(node)
      const clock =
        JSON.stringify(node).includes('SVFOP_CURRENT_') ||
        /"sval":"(now|transaction_timestamp|statement_timestamp)"/.test(JSON.stringify(node))
      if (!table || placement?.kind !== 'reference' || (functions.length === 0 && !clock)) return []
      return [
        {
          severity: 'error',
          table: display(table),
          message: `the rows of this reference table are computed on each shard (${functions.join(', ') || 'the clock'}), so the copies differ`,
          remedy: 'Write constants, or use seedReference of this package, which sends the same rows everywhere.',
        },
      ]
    })
  },
}
