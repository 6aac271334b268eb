import type pg from 'pg'
import type { DataSet } from '../data/data-set.ts'
import { tableNames } from '../schema/database.ts'

const rowsPerStatement = 20_000

/** Loads the same rows into the one PostgreSQL, straight through the driver: what it holds owes nothing to the router. */
export async function loadOneServer(pool: pg.Pool, data: DataSet): Promise<void> {
  for (const table of tableNames) {
    const rows = data.rows[table] as readonly Record<string, unknown>[]
    const columns = Object.keys(rows[0] ?? {})
    const { rows: types } = await pool.query<{ name: string; type: string }>(
      `select attname as name, format_type(atttypid, null) as type from pg_attribute
        where attrelid = $1::regclass and attname = any($2)`,
      [table, columns],
    )
    const typeOf = new Map(types.map(({ name, type }) => [name, type]))
    const arrays = columns.map((column, index) => `$${index + 1}::${typeOf.get(column)}[]`)
    const insert = `insert into ${table} (${columns.join(', ')}) select * from unnest(${arrays.join(', ')})`
    for (let from = 0; from < rows.length; from += rowsPerStatement) {
      const part = rows.slice(from, from + rowsPerStatement)
      await pool.query(
        insert,
        columns.map((column) => part.map((row) => row[column])),
      )
    }
  }
}
