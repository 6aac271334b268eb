import { type TableName, tableNames } from '../world/columns.ts'
import type { Row, World } from '../world/world.ts'

type Rows = World['rows']

/** Columns that every row has a value in. */
const notNull = new Set(['id', 'k', 'owner', 'h', 'nr'])

/** Leaves out rows, first whole tables, then ever smaller pieces, as long as the case still fails. */
export async function shrinkRows(rows: Rows, fails: (rows: Rows) => Promise<boolean>, budget = 120): Promise<Rows> {
  let current = rows
  let left = budget
  const attempt = async (table: TableName, kept: readonly Row[]): Promise<boolean> => {
    if (left-- <= 0) return false
    const candidate = { ...current, [table]: kept }
    if (!(await fails(candidate))) return false
    current = candidate
    return true
  }
  for (const table of tableNames) if (current[table].length > 0) await attempt(table, [])
  for (const table of tableNames) {
    for (let size = Math.ceil(current[table].length / 2); size >= 1 && left > 0; size = Math.floor(size / 2)) {
      for (let at = 0; at < current[table].length && left > 0; ) {
        const removed = await attempt(table, current[table].toSpliced(at, size))
        if (!removed) at += size
      }
    }
  }
  return await withoutValues(current, attempt)

  /** A column without values says nothing: it is NULL in all rows, and need not be printed. */
  async function withoutValues(
    from: Rows,
    tryRows: (table: TableName, kept: readonly Row[]) => Promise<boolean>,
  ): Promise<Rows> {
    for (const table of tableNames) {
      const names = new Set(from[table].flatMap((row) => Object.keys(row)))
      for (const name of names) {
        if (notNull.has(name)) continue
        if (current[table].every((row) => row[name] === null)) continue
        await tryRows(
          table,
          current[table].map((row) => ({ ...row, [name]: null })),
        )
      }
    }
    return current
  }
}
