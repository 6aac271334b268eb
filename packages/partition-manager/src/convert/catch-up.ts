import { identifier } from '../sql/identifier.ts'
import { type ConvertRun, insertColumns, insertInto, sameKey } from './convert-run.ts'

/** How many changes are noted and not yet copied. */
export async function pendingChanges({ session, names }: ConvertRun): Promise<bigint> {
  const { rows } = await session.query<{ rows: string }>(`select count(*)::text as rows from ${names.log}`)
  return BigInt((rows[0] as { rows: string }).rows)
}

/**
 * Takes up to `limit` noted keys and makes the copy equal to the table for them: deleted and inserted again, from
 * whatever the table holds now. A key that changes meanwhile is noted anew, so doing it twice does no harm. Runs inside
 * the caller's transaction.
 */
export async function applyChanges(run: ConvertRun, limit: number): Promise<bigint> {
  const { session, source, names } = run
  const keys = source.primaryKey.map((column) => identifier(column.name)).join(', ')
  await session.query('drop table if exists pg_temp.shardwright_changes')
  const taken = await session.query(
    `create temp table shardwright_changes on commit drop as
     select seq, ${keys} from ${names.log} order by seq limit ${limit}`,
  )
  await session.query(`delete from ${names.log} l using pg_temp.shardwright_changes c where l.seq = c.seq`)
  await session.query(
    `delete from ${names.shadow} s using pg_temp.shardwright_changes c where ${sameKey(source, 's', 'c')}`,
  )
  await session.query(
    `${insertInto(run)} select ${insertColumns(source)} from only ${names.source} t
      where exists (select from pg_temp.shardwright_changes c where ${sameKey(source, 't', 'c')})`,
  )
  return BigInt(taken.rowCount ?? 0)
}
