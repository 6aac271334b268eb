import type { Lookup } from './lookup.ts'
import { createOwnSchema } from './own-schema.ts'
import { lookupRowColumn } from './resolve-lookups.ts'

export { lookupRowColumn }

/**
 * What makes a lookup on one shard, in order, for one transaction, and does no harm where it is there: the table of its entries, the triggers that note its
 * changes, and its state. The looked up table has to be there, with a primary key.
 *
 * The triggers write each change of value, key or row into the setting `shardwright.lookup_changes` of the transaction,
 * where the router takes it from. They see what no statement tells: cascades, upserts, what other triggers write. A
 * session that nobody takes changes from (psql, a service that does not know the lookup) is refused, unless the lookup
 * was never filled or the setting is `off`.
 */
export function createLookupSql(lookup: Lookup): readonly string[] {
  const { table, column, unique } = lookup
  const entries = qualified(lookup.entries)
  const key = id(table.key)
  const columns = [column, table.key, lookupRowColumn].map(id)
  return [
    createOwnSchema,
    `create table if not exists shardwright.lookup (
  name text primary key,
  state text not null check (state in ('new', 'filling', 'ready')),
  filled_to text[]
)`,
    `create table if not exists ${entries} as select ${id(column)}, ${key}, ''::text as ${lookupRowColumn} from ${qualified(table)} with no data`,
    `alter table ${entries} ${columns.map((name) => `alter column ${name} set not null`).join(', ')}`,
    primaryKeySql(entries, unique ? [id(column)] : columns),
    createFunctionSql(lookup),
    ...triggersSql(lookup),
    // The triggers' lock keeps writers away until this is committed, so that an empty table stays empty.
    `insert into shardwright.lookup (name, state)
 select ${literal(lookup.name)}, case when exists (select from ${qualified(table)}) then 'new' else 'ready' end
 on conflict (name) do nothing`,
  ]
}

/** What takes a lookup away from one shard, in order. */
export function dropLookupSql(lookup: Lookup): readonly string[] {
  return [
    ...events.map(([event]) => `drop trigger if exists ${triggerName(lookup, event)} on ${qualified(lookup.table)}`),
    `drop function if exists ${functionName(lookup)}()`,
    `drop table if exists ${qualified(lookup.entries)}`,
    `delete from shardwright.lookup where name = ${literal(lookup.name)}`,
  ]
}

/** The text that tells the rows of one table apart, of the columns of its primary key; the session's zone is UTC. */
export function lookupRowSql(primaryKey: readonly string[], alias: string): string {
  return `pg_catalog.jsonb_build_array(${primaryKey.map((name) => `${alias}.${id(name)}`).join(', ')})::text`
}

const events = [
  ['insert', 'after insert', 'referencing new table as added'],
  ['update', 'after update', 'referencing old table as removed new table as added'],
  ['delete', 'after delete', 'referencing old table as removed'],
  ['truncate', 'before truncate', ''],
] as const

function triggersSql(lookup: Lookup): string[] {
  return events.map(
    ([
      event,
      when,
      tables,
    ]) => `create or replace trigger ${triggerName(lookup, event)} ${when} on ${qualified(lookup.table)}
 ${tables} for each statement execute function ${functionName(lookup)}()`,
  )
}

function primaryKeySql(entries: string, columns: readonly string[]): string {
  return `do $make$ begin if not exists (select from pg_catalog.pg_index where indrelid = ${literal(entries)}::pg_catalog.regclass and indisprimary)
 then alter table ${entries} add primary key (${columns.join(', ')}); end if; end $make$`
}

/** The columns of the primary key are the server's to tell: they are written into the function when it is made. */
function createFunctionSql(lookup: Lookup): string {
  return `do $make$ begin execute pg_catalog.replace($code$${functionSql(lookup)}$code$, '@row@', (
  select 'pg_catalog.jsonb_build_array(' || pg_catalog.string_agg(pg_catalog.format('r.%I', a.attname), ', ' order by part.place) || ')::text'
  from pg_catalog.pg_index i cross join lateral unnest(i.indkey::int2[]) with ordinality as part (attnum, place)
  join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = part.attnum
  where i.indrelid = ${literal(qualified(lookup.table))}::pg_catalog.regclass and i.indisprimary)); end $make$`
}

function functionSql(lookup: Lookup): string {
  const { table, column, name } = lookup
  const rows = (source: string, delta: number) =>
    `select r.${id(column)}::text as value, r.${id(table.key)}::text as key, @row@ as line, ${delta} as delta from ${source} r where r.${id(column)} is not null`
  const noted = (changes: string) =>
    `select pg_catalog.string_agg(E'\\n' || pg_catalog.jsonb_build_array(${literal(name)}, c.value, c.key, c.line, c.delta)::text, '') into changes from (${changes}) c`
  return `create or replace function ${functionName(lookup)}() returns trigger language plpgsql security definer
 set search_path = pg_catalog, pg_temp set "TimeZone" = 'UTC' set "DateStyle" = 'ISO, MDY' set extra_float_digits = 1 as $body$
declare
  noted text := pg_catalog.current_setting('shardwright.lookup_changes', true);
  changes text;
begin
  if noted = 'off' then return null; end if;
  if tg_op = 'TRUNCATE' then
    changes := 'all';
    noted := '';
  elsif tg_op = 'INSERT' then
    ${noted(rows('added', 1))};
  elsif tg_op = 'DELETE' then
    ${noted(rows('removed', -1))};
  else
    ${noted(`select value, key, line, sum(delta) as delta from (${rows('removed', -1)} union all ${rows('added', 1)}) as moved group by value, key, line having sum(delta) <> 0`)};
  end if;
  if changes is null then return null; end if;
  if noted <> '' then
    perform pg_catalog.set_config('shardwright.lookup_changes', noted || changes, true);
  elsif exists (select from shardwright.lookup l where l.name = ${literal(name)} and l.state <> 'new') then
    raise exception using errcode = 'SWL01',
      message = ${literal(`this write of ${table.table} changes the lookup ${name}, and nobody in this session keeps it`)},
      hint = 'Write through a router whose schema has the lookup, across shards if in a transaction; or set shardwright.lookup_changes = off, and repair the lookup afterwards.';
  end if;
  return null;
end $body$`
}

function functionName(lookup: Lookup): string {
  return `shardwright.${id(`note_${lookup.name}`)}`
}

function triggerName(lookup: Lookup, event: string): string {
  return id(`shardwright_${event[0]}_${lookup.name}`)
}

function qualified({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return `${id(schema)}.${id(table)}`
}

function id(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
