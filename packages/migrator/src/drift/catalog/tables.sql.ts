import { identityText } from './identity.sql.ts'
import { applicationTable, foreignSchemas } from './own-objects.sql.ts'

export const selectTables = `
select 'table' as kind, n.nspname || '.' || c.relname as name, n.nspname || '.' || c.relname as "table",
  concat_ws(' ', case c.relkind when 'p' then 'partitioned' when 'f' then 'foreign' else 'plain' end,
    case c.relpersistence when 'u' then 'unlogged' end, pg_get_partkeydef(c.oid),
    case when c.relrowsecurity then 'row security' end, case when c.relforcerowsecurity then 'forced' end,
    'replica identity ' || c.relreplident::text, c.reloptions::text) as definition,
  concat('create ', case c.relpersistence when 'u' then 'unlogged ' end, 'table ', format('%I.%I', n.nspname, c.relname), ' (',
    (select string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
        case when a.attcollation <> t.typcollation then 'collate ' || a.attcollation::regcollation end,
        ${identityText},
        case when a.attgenerated = 's' then 'generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
             when a.attgenerated = 'v' then 'generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ')'
             when d.adbin is not null then 'default ' || pg_get_expr(d.adbin, d.adrelid) end,
        case when a.attnotnull then 'not null' end), ', ' order by a.attnum)
     from pg_attribute a join pg_type t on t.oid = a.atttypid
     left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    ')', ' partition by ' || pg_get_partkeydef(c.oid),
    case when c.reloptions is not null then ' with (' || array_to_string(c.reloptions, ', ') || ')' end,
    case when c.relrowsecurity then format('; alter table %I.%I enable row level security', n.nspname, c.relname) end,
    case when c.relforcerowsecurity then format('; alter table %I.%I force row level security', n.nspname, c.relname) end,
    case when c.relreplident in ('f', 'n') then format('; alter table %I.%I replica identity %s', n.nspname, c.relname,
      case c.relreplident when 'f' then 'full' else 'nothing' end) end) as "create",
  format('drop table %I.%I', n.nspname, c.relname) as "drop",
  jsonb_build_object('target', format('alter table %I.%I', n.nspname, c.relname), 'shape', c.relkind::text || coalesce(pg_get_partkeydef(c.oid), ''),
    'persistence', case c.relpersistence when 'u' then 'set unlogged' else 'set logged' end,
    'row security', case when c.relrowsecurity then 'enable row level security' else 'disable row level security' end,
    'forced', case when c.relforcerowsecurity then 'force row level security' else 'no force row level security' end,
    'replica identity', case c.relreplident when 'd' then 'replica identity default' when 'f' then 'replica identity full'
      when 'n' then 'replica identity nothing' end,
    'options', array_to_string(c.reloptions, ', '),
    'option names', (select string_agg(split_part(o, '=', 1), ', ') from unnest(c.reloptions) o)) as parts
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f') and ${foreignSchemas('n')} and ${applicationTable('c')}`
