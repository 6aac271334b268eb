import type { FleetConnection } from '@shardwright/core'

const pauseMs = 50

/** Waits until every transaction is over that began before now: from then on all writers have seen what was committed. */
export async function writersGone(connection: FleetConnection, signal: AbortSignal | undefined): Promise<void> {
  const { rows } = await connection.query<{ xid: string; moment: string }>(
    'select pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text as xid, pg_catalog.clock_timestamp()::text as moment',
  )
  const [{ xid, moment }] = rows as [{ xid: string; moment: string }]
  for (;;) {
    signal?.throwIfAborted()
    const answer = await connection.query<{ over: boolean }>(overSql, [xid, moment])
    if (answer.rows[0]?.over === true) return
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

// Those that write have a number, prepared ones too; those with an old snapshot may get one later.
const overSql = `select pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) >= $1::text::xid8 and not exists (
 select from pg_catalog.pg_stat_activity where datname = pg_catalog.current_database() and backend_type = 'client backend'
 and pid <> pg_catalog.pg_backend_pid() and xact_start < $2::text::timestamptz) as over`
