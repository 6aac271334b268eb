import type { BoundStatement } from '../merge/relation.ts'
import type { TypeName } from '../merge/type-names.ts'
import type { ExecutionContext } from './context.ts'
import { runOn } from './context.ts'

const known = new Map<string, readonly (string | undefined)[]>()
const knownLimit = 1000

/** The collation of each text column of a statement, asked of the server once per statement text. */
export async function collationsOf(
  statement: BoundStatement,
  types: readonly TypeName[],
  shard: number,
  context: ExecutionContext,
): Promise<readonly (string | undefined)[]> {
  if (!types.some((type) => type.collatable)) return types.map(() => undefined)
  const key = `${context.state.topology.id} ${statement.sql}`
  const cached = known.get(key)
  if (cached) return cached
  const names = types.map((_, index) => `c${index + 1}`)
  const asked = names.filter((_, index) => types[index]?.collatable)
  // No row is read: the join condition is false, and the collation belongs to the column.
  const result = await runOn(context, shard, {
    sql: `select ${asked.map((name) => `pg_catalog.pg_collation_for(q.${name})::text as ${name}`).join(', ')} from (select 1) as one left join (${statement.sql}) as q(${names.join(', ')}) on false`,
    parameters: statement.parameters,
    access: 'read',
    rows: 'facts',
  })
  const [row] = result.rows as Record<string, string | null>[]
  const collations = names.map((name) => {
    const collation = row?.[name]
    return !collation || collation === '"default"' ? undefined : collation
  })
  if (known.size >= knownLimit) known.clear()
  known.set(key, collations)
  return collations
}
