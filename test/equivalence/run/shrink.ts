import { type Query, smallerQueries } from '../code.ts'

/** Drops clauses one by one as long as the query still fails; `budget` bounds the attempts. */
export async function shrink(query: Query, fails: (query: Query) => Promise<boolean>, budget = 150): Promise<Query> {
  let current = query
  let left = budget
  for (let smaller = true; smaller && left > 0; ) {
    smaller = false
    for (const candidate of smallerQueries(current)) {
      if (left-- <= 0) break
      if (!(await fails(candidate))) continue
      current = candidate
      smaller = true
      break
    }
  }
  return current
}
