import { createOwnSchema, type FleetConnection } from '@shardwright/core'

/** Creates the manager's own tables; call it under the install lock, since IF NOT EXISTS races. */
export async function createRegistry(connection: FleetConnection): Promise<void> {
  await connection.script(`
    ${createOwnSchema};
    create table if not exists shardwright.views (
      schema_name text not null,
      name text not null,
      definition_hash text not null,
      refreshed_at timestamptz,
      duration_ms int8,
      changes_seen int8,
      failed_at timestamptz,
      failure text,
      lowest_bound timestamptz,
      frozen_before timestamptz,
      as_of timestamptz,
      primary key (schema_name, name)
    );
    create table if not exists shardwright.rollup_changes (
      schema_name text not null,
      rollup text not null,
      bucket timestamptz not null
    );
    create index if not exists rollup_changes_rollup on shardwright.rollup_changes (schema_name, rollup, bucket);
    do $$ begin
      if not exists (select from pg_attribute where attrelid = 'shardwright.views'::regclass and attname = 'as_of') then
        alter table shardwright.views add column as_of timestamptz;
      end if;
    end $$`)
}

export interface RegistryRow {
  readonly schema_name: string
  readonly name: string
  readonly definition_hash: string
  readonly refreshed_at: Date | null
  /** Undefined in a registry that no install() has seen since there is such a column. */
  readonly as_of?: Date | null
  readonly duration_ms: string | null
  readonly changes_seen: string | null
  readonly failed_at: Date | null
  readonly failure: string | null
  readonly frozen_before: Date | null
}

/** All rows, or none where nothing was ever installed. */
export async function readRegistry(connection: FleetConnection): Promise<readonly RegistryRow[]> {
  const exists = await connection.query<{ there: boolean }>(
    "select to_regclass('shardwright.views') is not null as there",
  )
  if (exists.rows[0]?.there !== true) return []
  return (await connection.query<RegistryRow>('select * from shardwright.views')).rows
}

export interface Subject {
  readonly schema: string
  readonly name: string
}

/** When something was refreshed, and from when its rows are at least. */
export interface Refreshed {
  readonly refreshedAt: Date
  /** Older than `refreshedAt` where it reads a view that is. */
  readonly asOf: Date
}

/** From when the rows of what a view reads are at least, as text; null when it reads nothing that is refreshed. */
export async function asOfParents(connection: FleetConnection, view: Subject & Reader): Promise<string | null> {
  const { rows } = await connection.query<{ as_of: string | null }>(`select (${parentsAsOf})::text as as_of`, [
    view.schema,
    view.name,
    view.reads,
  ])
  return rows[0]?.as_of ?? null
}

interface Reader {
  readonly reads: readonly string[]
}

/** Of the relations $3, but not $1.$2 itself. */
const parentsAsOf = `select min(coalesce(as_of, refreshed_at)) from shardwright.views
  where name = any($3::text[]) and not (schema_name = $1 and name = $2)`

/**
 * Notes a refresh inside its own transaction: now() there is before its snapshot, so the view is at least that young, or as
 * young as the oldest view that it reads (`parents`).
 */
export async function noteRefreshed(
  connection: FleetConnection,
  subject: Subject,
  {
    changesSeen = null,
    parents = null,
  }: { readonly changesSeen?: string | null; readonly parents?: string | null } = {},
): Promise<Refreshed | undefined> {
  const { rows } = await connection.query<Refreshed>(
    `update shardwright.views
        set refreshed_at = now(), as_of = least(now(), $4::timestamptz), duration_ms = extract(epoch from clock_timestamp() - now()) * 1000,
            changes_seen = $3, failed_at = null, failure = null
      where schema_name = $1 and name = $2
      returning refreshed_at as "refreshedAt", as_of as "asOf"`,
    [subject.schema, subject.name, changesSeen, parents],
  )
  return rows[0]
}

export async function noteFailed(connection: FleetConnection, subject: Subject, message: string): Promise<void> {
  await connection.query(
    'update shardwright.views set failed_at = now(), failure = $3 where schema_name = $1 and name = $2',
    [subject.schema, subject.name, message],
  )
}

/** Notes that `subject` now has this definition, and from when its rows are (null: it has none). */
export async function noteInstalled(
  connection: FleetConnection,
  subject: Subject & Partial<Reader> & { readonly hash: string },
  refreshedAt: string | null,
): Promise<void> {
  await connection.query(
    `insert into shardwright.views (schema_name, name, definition_hash, refreshed_at, as_of)
     values ($1, $2, $4, $5, case when $5::timestamptz is not null then least($5::timestamptz, (${parentsAsOf})) end)
     on conflict (schema_name, name) do update
       set definition_hash = excluded.definition_hash, refreshed_at = excluded.refreshed_at, as_of = excluded.as_of,
           changes_seen = null, failed_at = null, failure = null`,
    [subject.schema, subject.name, subject.reads ?? [], subject.hash, refreshedAt],
  )
}
