import { createOwnSchema } from '@shardwright/core'
import type { JobDetail } from '../inspect/catalog-state.ts'
import type { MaintenanceSession } from './session.ts'

/**
 * What is under way on this shard and must be ended by the next run if this one dies. It lives beside the data, so that
 * a row and the DDL it describes commit together.
 */
const createJournal = `
select pg_advisory_xact_lock(hashtextextended('shardwright.partition_job', 7));
${createOwnSchema};
create table if not exists shardwright.partition_job (
  id bigint generated always as identity primary key,
  parent oid not null,
  kind text not null check (kind in ('retire', 'repair')),
  child oid not null,
  detail jsonb not null,
  created_at timestamptz not null default clock_timestamp(),
  unique (parent, child)
)`

/** Creates the journal's table when this shard has none yet. */
export async function ensureJournal(session: MaintenanceSession): Promise<void> {
  const found = await session.query<{ there: boolean }>(
    "select to_regclass('shardwright.partition_job') is not null as there",
  )
  if (found.rows[0]?.there) return
  await session.transaction('create the journal of partition jobs', () => session.script([createJournal]))
}

export interface NewJob {
  readonly parentOid: string
  readonly kind: 'retire' | 'repair'
  readonly childOid: string
  readonly detail: JobDetail
}

/** Writes a job, or takes over the one that exists for the same table, and returns its id. */
export async function writeJob(session: MaintenanceSession, job: NewJob): Promise<string> {
  const { rows } = await session.query<{ id: string }>(
    `insert into shardwright.partition_job (parent, kind, child, detail) values ($1::oid, $2, $3::oid, $4::jsonb)
     on conflict (parent, child) do update set kind = excluded.kind, detail = excluded.detail
     returning id::text as id`,
    [job.parentOid, job.kind, job.childOid, JSON.stringify(job.detail)],
  )
  return (rows[0] as { id: string }).id
}

export async function updateJob(session: MaintenanceSession, id: string, detail: JobDetail): Promise<void> {
  await session.query('update shardwright.partition_job set detail = $2::jsonb where id = $1::int8', [
    id,
    JSON.stringify(detail),
  ])
}

export async function deleteJob(session: MaintenanceSession, id: string): Promise<void> {
  await session.query('delete from shardwright.partition_job where id = $1::int8', [id])
}
