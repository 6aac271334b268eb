import type { FleetConnection } from '@shardwright/core'
import { quote } from '../../merge/relation.ts'
import { columnList, givenRows, givenSql, type LookupRow, type LookupShape, parametersOf } from './lookup-shape.ts'

/** A unique value that stands in two rows. */
export interface Duplicate {
  readonly lookup: string
  readonly value: string
  readonly keys: readonly [entry: string, row: string]
}

/**
 * Adds the entries of rows that somebody holds, as far as they are missing; waits for those who write the same now.
 * Gives the number of those that were missing.
 */
export async function addEntries(
  connection: FleetConnection,
  shape: LookupShape,
  rows: readonly LookupRow[],
): Promise<number> {
  const given = givenSql(shape)
  const { rowCount } = await connection.query(
    `insert into ${shape.entries} (${columnList(shape)}) select ${given.join(', ')} from ${givenRows} order by g.value, g.line
 on conflict do nothing`,
    [...parametersOf(rows)],
  )
  return rowCount ?? 0
}

/** Unique values among `rows` whose entry is that of another row. */
export async function findDuplicates(
  connection: FleetConnection,
  shape: LookupShape,
  rows: readonly LookupRow[],
): Promise<readonly Duplicate[]> {
  const { lookup, columns, entries } = shape
  if (!lookup.unique) return []
  const [value, key, line] = columns.map(({ name }) => `e.${quote(name)}`)
  const [givenValue, givenKey, givenLine] = givenSql(shape)
  const { rows: found } = await connection.query<{ value: string; entry: string; row: string }>(
    `select g.value, ${key}::text as entry, g.key as row from ${givenRows} join ${entries} e on ${value} = ${givenValue} and (${key}, ${line}) <> (${givenKey}, ${givenLine})`,
    [...parametersOf(rows)],
  )
  return found.map((each) => ({ lookup: lookup.name, value: each.value, keys: [each.entry, each.row] as const }))
}
