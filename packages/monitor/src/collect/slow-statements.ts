import type { FleetConnection } from '@shardwright/core'
import { MonitorError } from '../errors/monitor-error.ts'
import { statementsView } from './statements-view.ts'

/** A statement of pg_stat_statements, with its constants taken out by the server. */
export interface SlowStatement {
  readonly shard: string
  readonly id: string
  readonly text: string
  readonly calls: number
  readonly totalMs: number
  readonly meanMs: number
  readonly rows: number
}

/**
 * The statements of the shard's database that took the most time in all. Only queries: of others, such as ALTER ROLE, the
 * server keeps the constants.
 * @throws MonitorError STATEMENTS_UNAVAILABLE
 */
export async function slowStatements(connection: FleetConnection, limit = 20): Promise<readonly SlowStatement[]> {
  const shard = connection.shardId
  const view = await statementsView(connection)
  if (view === undefined) {
    throw new MonitorError({
      code: 'STATEMENTS_UNAVAILABLE',
      message: `Slow statements of shard '${shard}' are not known: pg_stat_statements is not there.`,
      details: { shard },
    })
  }
  const { rows } = await connection.query<Record<'id' | 'text' | 'calls' | 'total' | 'mean' | 'rows', string>>(
    `select s.queryid::text as id, left(s.query, 2000) as text, s.calls, s.total_exec_time as total,
       s.mean_exec_time as mean, s.rows
     from ${view} s join pg_database d on d.oid = s.dbid
     where d.datname = current_database() and s.query ~* '^\\s*(select|insert|update|delete|merge|with)\\M'
     order by s.total_exec_time desc limit $1`,
    [limit],
  )
  return rows.map(({ id, text, calls, total, mean, rows }) =>
    Object.freeze({
      shard,
      id,
      text,
      calls: Number(calls),
      totalMs: Number(total),
      meanMs: Number(mean),
      rows: Number(rows),
    }),
  )
}
