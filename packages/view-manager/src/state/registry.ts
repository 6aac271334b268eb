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
      primary key (schema_name, name)
    );
    create table if not exists shardwright.rollup_changes (
      schema_name text not null,
      rollup text not null,
      bucket timestamptz not null
    );
    create index if not exists rollup_changes_rollup on shardwright.rollup_changes (schema_name, rollup, bucket);`)
}

export interface RegistryRow {
  readonly schema_name: string
  readonly name: string
  readonly definition_hash: string
  readonly refreshed_at: Date | null
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

/** Notes a refresh inside its own transaction: now() there is before its snapshot, so the view is at least that young. */
export async function noteRefreshed(
  connection: FleetConnection,
  subject: Subject,
  changesSeen: string | null,
): Promise<Date | undefined> {
  const { rows } = await connection.query<{ refreshed_at: Date }>(
    `update shardwright.views
        set refreshed_at = now(), duration_ms = extract(epoch from clock_timestamp() - now()) * 1000,
            changes_seen = $3, failed_at = null, failure = null
      where schema_name = $1 and name = $2
      returning refreshed_at`,
    [subject.schema, subject.name, changesSeen],
  )
  return rows[0]?.refreshed_at
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
  subject: Subject & { readonly hash: string },
  refreshedAt: string | null,
): Promise<void> {
  await connection.query(
    `insert into shardwright.views (schema_name, name, definition_hash, refreshed_at)
     values ($1, $2, $3, $4)
     on conflict (schema_name, name) do update
       set definition_hash = excluded.definition_hash, refreshed_at = excluded.refreshed_at, changes_seen = null`,
    [subject.schema, subject.name, subject.hash, refreshedAt],
  )
}
