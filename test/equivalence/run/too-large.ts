import { CompiledQuery } from 'kysely'
import type { Case } from '../generate/case.ts'
import type { OpenWorld } from '../world/open-world.ts'
import { build } from './evaluate.ts'
import { withPlugin } from './plugins.ts'

/** Answers of more rows are not compared: joins on a skewed key that meet themselves give millions. */
const mostRows = 100_000
const statementTimeout = '57014'

/** Whether a case that reads has a larger answer than the suite holds, twice, in memory, or takes too long to have one. */
export async function isTooLarge({ kind, query, plugin }: Case, { oracle }: OpenWorld): Promise<boolean> {
  if (kind === 'write') return false
  try {
    const { sql, parameters } = build(query, withPlugin(oracle, plugin)).compile()
    const counting = `select count(*)::int as n from (select from (${sql}) as q limit ${mostRows + 1}) as c`
    const { rows } = await oracle.executeQuery<{ n: number }>(CompiledQuery.raw(counting, [...parameters]))
    return (rows[0]?.n ?? 0) > mostRows
  } catch (error) {
    // Any other mistake is what the case is about.
    return (error as { code?: string }).code === statementTimeout
  }
}
