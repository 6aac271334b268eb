import { checksumRows, type RowChecksum, sameRows } from '../apply/row-checksum.ts'
import { PartitionError } from '../errors/partition-error.ts'
import { identifier } from '../sql/identifier.ts'
import { type ConvertRun, sameKey } from './convert-run.ts'

/**
 * Compares table and copy in one snapshot, by count and checksum of all rows but those whose change is still noted.
 * @throws PartitionError CONVERT_VERIFY_FAILED
 */
export async function verifyCopy(run: ConvertRun): Promise<RowChecksum> {
  const { session, source, names } = run
  session.step('verify')
  return await session.withShortLocks('verify the copy', async () => {
    await session.query('begin isolation level repeatable read read only')
    const row = `row(${source.columns.map((column) => `t.${identifier(column.name)}`).join(', ')})`
    const noted = `not exists (select from ${names.log} l where ${sameKey(source, 'l', 't')})`
    const table = await checksumRows(session, `only ${names.source} t where ${noted}`, row)
    const copy = await checksumRows(session, `${names.shadow} t where ${noted}`, row)
    await session.query('commit')
    if (sameRows(table, copy)) return table
    throw new PartitionError({
      code: 'CONVERT_VERIFY_FAILED',
      message: `The copy of ${names.source} holds ${copy.rows} rows (checksum ${copy.checksum}), the table ${table.rows} (${table.checksum}); nothing was swapped.`,
      details: { table: names.source, shard: session.shard.id },
    })
  })
}
