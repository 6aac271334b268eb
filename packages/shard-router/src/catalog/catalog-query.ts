/** Tables of the schema with their columns; $1 is an array of schemas, $2 of tables, pairwise. One JSON row a table. */
export const tablesQuery = `
select n.nspname as schema, c.relname as table, c.relkind::text as kind,
  (select json_agg(json_build_object(
     'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, null), 'base', bt.typname, 'modifier', a.atttypmod,
     'notNull', a.attnotnull, 'defaultSql', case when a.attgenerated = '' then coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), t.typdefault) end,
     'identity', a.attidentity, 'generated', a.attgenerated <> '',
     'deterministic', coalesce(co.collisdeterministic, true)) order by a.attnum)
   from pg_catalog.pg_attribute a
   join pg_catalog.pg_type t on t.oid = a.atttypid
   join pg_catalog.pg_type bt on bt.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
   left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   left join pg_catalog.pg_collation co on co.oid = a.attcollation
   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
  (select json_agg(a.attname order by array_position(i.indkey::int2[], a.attnum))
   from pg_catalog.pg_index i join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey::int2[])
   where i.indrelid = c.oid and i.indisprimary) as "primaryKey",
  c.relhasrules or exists (
    select from pg_catalog.pg_trigger t join pg_catalog.pg_proc p on p.oid = t.tgfoid
    where t.tgrelid = c.oid and (not t.tgisinternal and p.pronamespace is distinct from pg_catalog.to_regnamespace('shardwright')
      or p.proname ~ '^RI_FKey_(cascade|setnull|setdefault)_')) as reaches,
  exists (select from pg_catalog.pg_constraint k where k.conrelid = c.oid and k.confrelid = c.oid) as "refersToItself",
  (select json_agg(json_build_object('name', ic.relname, 'columns', case when i.indpred is null and i.indexprs is null then
     (select json_agg(a.attname order by part.place) from unnest(i.indkey::int2[]) with ordinality as part (attnum, place)
      join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = part.attnum where part.place <= i.indnkeyatts) end) order by ic.relname)
   from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid
   where i.indrelid = c.oid and i.indisunique) as uniques
from unnest($1::text[], $2::text[]) as wanted(schema, name)
join pg_catalog.pg_namespace n on n.nspname = wanted.schema
join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
where c.relkind in ('r', 'p', 'v', 'm', 'f')`

/** All functions by name: an overloaded name has the most dangerous of its answers. */
export const functionsQuery = `
select p.proname as name, bool_or(p.prokind = 'a') as aggregate, bool_or(p.prokind = 'w') as window,
  bool_or(p.proretset) as "returnsSet",
  case when bool_or(p.provolatile = 'v') then 'volatile' when bool_or(p.provolatile = 's') then 'stable' else 'immutable' end as volatility
from pg_catalog.pg_proc p
where p.prokind <> 'p'
group by p.proname`

/** Settings in which shards must agree for merged text to be the same. */
export const databaseQuery = `
select pg_catalog.pg_encoding_to_char(encoding) as encoding, datcollate as collate, datctype as ctype,
  pg_catalog.current_setting('server_version_num')::int as version
from pg_catalog.pg_database where datname = pg_catalog.current_database()`
