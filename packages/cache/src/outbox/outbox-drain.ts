import { outboxTable } from './outbox-table.ts'
import { beginBatch, type DrainBatch, type NoticedWrite } from './shard-drain.ts'

interface OutboxRow extends NoticedWrite {
  readonly id: string
}

const batch = 500

/**
 * Delivers one batch: rows are deleted in the transaction that has read them, after their delivery, so a process that
 * dies in between leaves them to another. Gives how many there were; fewer than a full batch means there are no more.
 */
export const drainBatch: DrainBatch = async (connection, request) => {
  await beginBatch(connection)
  try {
    const { rows } = await connection.query<OutboxRow>(
      `select id::text, table_name, row_id, (extract(epoch from clock_timestamp() - written_at) * 1000)::float8 as age_ms
       from ${outboxTable} where namespace = $1 and table_name = any($2)
       order by id limit ${batch} for update${request.locked === 'skip' ? ' skip locked' : ''}`,
      [request.namespace, [...request.tables]],
    )
    if (rows.length > 0) {
      await request.deliver(rows)
      await connection.query(`delete from ${outboxTable} where id = any($1::bigint[])`, [rows.map((row) => row.id)])
    }
    await connection.query('commit')
    return { count: rows.length, more: rows.length === batch }
  } catch (error) {
    await connection.query('rollback').catch(() => undefined)
    throw error
  }
}
