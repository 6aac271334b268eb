import type { FleetConnection } from '@shardwright/core'
import { quote } from '../../merge/relation.ts'
import { type LookupRow, type LookupShape, rowSql } from './lookup-shape.ts'

/** A row that a lookup leads to, and its primary key as a place to go on from. */
export interface PlacedRow extends LookupRow {
  readonly place: readonly string[]
}

/** The next rows of a shard after a place, in the order of the primary key. `hold`: nobody changes them until the end. */
export async function readRows(
  connection: FleetConnection,
  shape: LookupShape,
  after: readonly string[] | undefined,
  limit: number,
  hold: boolean,
): Promise<readonly PlacedRow[]> {
  const key = shape.primaryKey.map(({ name }) => `r.${quote(name)}`)
  const place = shape.primaryKey.map(({ type }, index) => `($2::text[])[${index + 1}]::${type}`)
  const sql = `select ${rowSql(shape)}, array[${key.map((name) => `${name}::text`).join(', ')}] as place
 from ${shape.table} r where r.${quote(shape.lookup.column)} is not null
 and ($2::text[] is null or (${key.join(', ')}) > (${place.join(', ')}))
 order by ${key.join(', ')} limit $1${hold ? ' for share of r' : ''}`
  return (await connection.query<PlacedRow & object>(sql, [limit, after ?? null])).rows
}
