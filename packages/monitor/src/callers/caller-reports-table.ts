import { createOwnSchema, type FleetConnection } from '@shardwright/core'
import type { CallerReportBody } from './caller-report.ts'

/**
 * The table of reports, for a migration, where the role of the processes may not create it: grant it SELECT, INSERT, UPDATE
 * and DELETE. Unlogged: a report is worth a minute, and no write-ahead log.
 */
export const callerReportsSql = `${createOwnSchema};
create unlogged table if not exists shardwright.caller_reports (
  process text primary key,
  reported_at timestamptz not null default now(),
  report jsonb not null
)`

const mostProcesses = 1_000

/** Writes a process's report over its last one; what is older than a day goes, and what is more than a thousand. */
export async function writeCallerReport(
  connection: FleetConnection,
  process: string,
  report: CallerReportBody,
): Promise<void> {
  const write = async () =>
    await connection.query(
      `insert into shardwright.caller_reports (process, reported_at, report) values ($1, now(), $2::jsonb)
       on conflict (process) do update set reported_at = excluded.reported_at, report = excluded.report`,
      [process, JSON.stringify(report)],
    )
  try {
    await write()
  } catch (error) {
    if (!isMissing(error)) throw error
    await create(connection)
    await write()
  }
  await connection.query(
    `delete from shardwright.caller_reports where reported_at < now() - interval '1 day'
       or process in (select process from shardwright.caller_reports order by reported_at desc offset ${mostProcesses})`,
  )
}

/** One process at a time: IF NOT EXISTS races. */
async function create(connection: FleetConnection): Promise<void> {
  await connection.script('begin')
  try {
    await connection.query("select pg_advisory_xact_lock(hashtextextended('shardwright.caller_reports', 12))")
    await connection.script(callerReportsSql)
    await connection.script('commit')
  } catch (error) {
    await connection.script('rollback').catch(() => {}) // the first error says why
    throw error
  }
}

/** The table, or its schema, is not there. */
function isMissing(error: unknown): boolean {
  return ['42P01', '3F000'].includes(String((error as { code?: unknown } | null)?.code))
}
