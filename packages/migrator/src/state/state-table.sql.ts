import { quoteIdentifier } from '../sql/quote.ts'

/** The schema that holds what Shardwright itself keeps on a shard. */
export const stateSchema = 'shardwright'

export const stateTable = `${quoteIdentifier(stateSchema)}."migrations"`

export const createStateTable = `
create table if not exists ${stateTable} (
  name          text primary key collate "C",
  state         text not null check (state in ('applied', 'failed', 'running', 'reverting', 'revert-failed')),
  checksum      text not null,
  transactional boolean not null,
  started_at    timestamptz not null,
  finished_at   timestamptz,
  duration_ms   bigint,
  tool_version  text not null,
  applied_by    text not null,
  error         text,
  journal       jsonb not null default '[]'
)`

const iso = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

export const selectState = `
select name, state, checksum, transactional, ${iso('started_at')} as "startedAt", ${iso('finished_at')} as "finishedAt",
       duration_ms::int4 as "durationMs", tool_version as "toolVersion", applied_by as "appliedBy", error, journal
from ${stateTable} order by name`

export const upsertState = `
insert into ${stateTable}
  (name, state, checksum, transactional, started_at, finished_at, duration_ms, tool_version, applied_by, error, journal)
values ($1, $2, $3, $4, clock_timestamp() - make_interval(secs => coalesce($5::int8, 0) / 1000.0),
        case when $5::int8 is null then null else clock_timestamp() end, $5::int8, $6, $7, $8, $9::jsonb)
on conflict (name) do update set
  state = excluded.state, checksum = excluded.checksum, transactional = excluded.transactional,
  started_at = excluded.started_at, finished_at = excluded.finished_at, duration_ms = excluded.duration_ms,
  tool_version = excluded.tool_version, applied_by = excluded.applied_by, error = excluded.error,
  journal = excluded.journal`

export const updateJournal = `update ${stateTable} set journal = $2::jsonb where name = $1`

export const updateChecksum = `update ${stateTable} set checksum = $2 where name = $1`

export const deleteState = `delete from ${stateTable} where name = $1`
