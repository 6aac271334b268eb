/** The storage parameters of a table as WITH takes them, or null. */
export const storageOptions = (alias: string) => `(
  select string_agg(format('%I = %L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ')
    from unnest(${alias}.reloptions) o)`

/** What is set per column and LIKE does not copy (statistics targets, n_distinct), as actions of ALTER TABLE, or null. */
export const columnSettings = (alias: string) => `(
  select string_agg(s.action, ', ' order by a.attnum) from pg_attribute a
   cross join lateral (
     select format('alter column %I set statistics %s', a.attname, a.attstattarget) as action where a.attstattarget >= 0
     union all
     select format('alter column %I set (%s)', a.attname, string_agg(format('%I = %L', split_part(o, '=', 1),
              substr(o, strpos(o, '=') + 1)), ', '))
       from unnest(a.attoptions) o where o like 'n\\_distinct%' having count(*) > 0) s
   where a.attrelid = ${alias}.oid and a.attnum > 0 and not a.attisdropped)`
