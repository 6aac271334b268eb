import type { Fleet } from '@shardwright/core'
import { fingerprintOf } from '../keys/entry-key.ts'
import {
  checkColumnTypes,
  checkOutboxTables,
  columnTypes,
  literal,
  type OutboxTable,
  outboxTable,
  quoted,
  quotedTable,
} from './outbox-table.ts'

export interface InstallOutboxOptions {
  /** The namespace of the cache that is to hear of the writes. */
  readonly namespace: string
  readonly tables: readonly OutboxTable[]
}

/**
 * Creates the outbox table and the triggers of the given tables on every shard, so that every committed write, whoever
 * made it, is noticed: psql, other services, and a process that died between its commit and its invalidation. The
 * triggers only insert rows: atomic commits (PREPARE TRANSACTION) keep working, which NOTIFY in a trigger would forbid.
 * May be repeated.
 * @throws CacheError CACHE_OPTIONS, CACHE_OUTBOX_COLUMN
 * @example
 * await installOutbox(router.fleet, { namespace: 'shop', tables: [{ table: 'wallets', id: ['festival_id', 'id'], key: 'festival_id' }] })
 */
export async function installOutbox(fleet: Fleet, options: InstallOutboxOptions): Promise<void> {
  const tables = checkOutboxTables(options.tables)
  for (const shard of fleet.shards) {
    await using connection = await shard.connect({ applicationName: 'shardwright cache outbox' })
    for (const { table, id, key } of tables) {
      const columns = [...new Set([...id, ...(key === undefined ? [] : [key])])]
      checkColumnTypes(table, columns, await columnTypes(connection, table))
      await connection.script(
        `begin; ${lock} ${createTable} ${createTrigger(options.namespace, table, columns)} commit;`,
      )
    }
  }
}

/** Removes the triggers of a namespace; the table stays for other namespaces. */
export async function removeOutbox(fleet: Fleet, options: InstallOutboxOptions): Promise<void> {
  for (const shard of fleet.shards) {
    await using connection = await shard.connect({ applicationName: 'shardwright cache outbox' })
    for (const { table } of checkOutboxTables(options.tables)) {
      const name = triggerName(options.namespace, table)
      await connection.script(`drop function if exists public.${quoted(name)}() cascade;`)
    }
  }
}

/** One installer at a time: CREATE ... IF NOT EXISTS is not safe against another one. */
const lock = "select pg_advisory_xact_lock(hashtextextended('shardwright cache outbox', 0));"

const createTable = `
create table if not exists ${outboxTable} (
  id bigint generated always as identity primary key,
  namespace text not null,
  table_name text not null,
  row_id jsonb,
  written_at timestamptz not null default clock_timestamp()
);
grant insert on ${outboxTable} to public;`

/** A function per table: it names its columns, so that no write pays for looking them up. */
function createTrigger(namespace: string, table: string, columns: readonly string[]): string {
  const name = triggerName(namespace, table)
  const target = quotedTable(table)
  const record = (row: 'old' | 'new'): string =>
    `pg_catalog.jsonb_build_object(${columns.map((column) => `${literal(column)}, ${row}.${quoted(column)}::text`).join(', ')})`
  const insert = (row: string): string =>
    `insert into ${outboxTable} (namespace, table_name, row_id) values (${literal(namespace)}, ${literal(table)}, ${row});`
  const moved = columns.map((column) => `new.${quoted(column)} is distinct from old.${quoted(column)}`).join(' or ')
  return `
create or replace function public.${quoted(name)}() returns trigger language plpgsql set search_path = pg_catalog as $body$
begin
  if tg_op = 'TRUNCATE' then
    ${insert('null')}
  elsif tg_op = 'INSERT' then
    ${insert(record('new'))}
  else
    ${insert(record('old'))}
    if tg_op = 'UPDATE' then
      if ${moved} then
        ${insert(record('new'))}
      end if;
    end if;
  end if;
  return null;
end $body$;
create or replace trigger ${quoted(name)} after insert or update or delete on ${target}
  for each row execute function public.${quoted(name)}();
create or replace trigger ${quoted(`${name}_t`)} after truncate on ${target}
  for each statement execute function public.${quoted(name)}();`
}

function triggerName(namespace: string, table: string): string {
  return `shardwright_cache_${fingerprintOf(`${namespace}\n${table}`).replaceAll('-', '_')}`
}
