import { tableNames } from '../schema/database.ts'
import { schema } from '../schema/schema.ts'
import type { DatabaseContents, TableContents } from './table-contents.ts'

/** Names each table whose rows on the shards are not those of the one PostgreSQL. Empty when all are equal. */
export function compareContents(
  shards: ReadonlyMap<string, DatabaseContents>,
  one: DatabaseContents | undefined,
): string[] {
  return tableNames.flatMap((table) => {
    const expected = one?.get(table) ?? nothing
    const found = [...shards].map(([id, contents]) => [id, contents.get(table) ?? nothing] as const)
    if (schema.find(table)?.kind === 'reference') {
      const wrong = found.filter(([, contents]) => !equal(contents, expected))
      return wrong.map(([id, contents]) => `${table} on ${id}: ${difference(contents, expected)}`)
    }
    const all = found.reduce((sum, [, contents]) => plus(sum, contents), nothing)
    return equal(all, expected) ? [] : [`${table}: ${difference(all, expected)}`]
  })
}

const nothing: TableContents = Object.freeze({ rows: 0n, sum: 0n })

function plus(a: TableContents, b: TableContents): TableContents {
  return { rows: a.rows + b.rows, sum: a.sum + b.sum }
}

function equal(a: TableContents, b: TableContents): boolean {
  return a.rows === b.rows && a.sum === b.sum
}

function difference(found: TableContents, expected: TableContents): string {
  return found.rows === expected.rows
    ? `${found.rows} rows as in one PostgreSQL, but not the same ones`
    : `${found.rows} rows instead of ${expected.rows}`
}
