/** Settings under which the same statement gives another answer, or a transaction cannot end, on another shard. */
export const selectSettings = `
select 'setting' as kind, s.name, null::text as "table", s.value as definition,
  case when s.context = 'user' then format('do $mend$ begin execute format(%L, current_database()); end $mend$', format('alter database %%I set %I to %s', s.name,
         -- Its value is a list of names, quoted already.
         case when s.name = 'search_path' then coalesce(nullif(s.value, ''), '''''') else quote_literal(s.value) end))
       else format('-- %s = %s is not a session setting: change it in postgresql.conf, or make the database anew', s.name, s.value) end as "create",
  '' as "drop", null::jsonb as parts
from (
  select g.name, g.setting as value, g.context from pg_settings g
  where g.name in ('TimeZone', 'DateStyle', 'IntervalStyle', 'extra_float_digits', 'bytea_output', 'search_path', 'default_transaction_isolation',
    'standard_conforming_strings', 'transform_null_equals', 'array_nulls', 'row_security', 'server_encoding', 'max_prepared_transactions', 'wal_level')
  union all select 'server_version', (current_setting('server_version_num')::int / 10000)::text, 'internal'
  union all select 'database collation', concat_ws(' ', coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'), d.datcollate, d.datctype, coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale')), 'internal'
    from pg_database d where d.datname = current_database()
) s`
