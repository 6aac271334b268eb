import { applicationTable, foreignSchemas, notOfExtension } from './own-objects.sql.ts'

export const selectFunctions = `
select 'function' as kind, n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' as name, null::text as "table",
  pg_get_functiondef(p.oid) as definition, pg_get_functiondef(p.oid) as "create",
  format('drop %s %I.%I(%s)', case p.prokind when 'p' then 'procedure' else 'function' end, n.nspname, p.proname,
    pg_get_function_identity_arguments(p.oid)) as "drop", jsonb_build_object('result', pg_get_function_result(p.oid)) as parts
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where p.prokind in ('f', 'p', 'w') and ${foreignSchemas('n')} and ${notOfExtension('pg_proc', 'p.oid')}
  -- Constructors of a range type come and go with it.
  and not exists (select from pg_depend i where i.classid = 'pg_proc'::regclass and i.objid = p.oid and i.refclassid = 'pg_type'::regclass and i.deptype = 'i')`

export const selectTriggers = `
select 'trigger' as kind, n.nspname || '.' || c.relname || '.' || t.tgname as name, n.nspname || '.' || c.relname as "table",
  concat_ws(' ', pg_get_triggerdef(t.oid), 'enabled ' || t.tgenabled::text) as definition,
  pg_get_triggerdef(t.oid) || case t.tgenabled
    when 'D' then format('; alter table %I.%I disable trigger %I', n.nspname, c.relname, t.tgname)
    when 'A' then format('; alter table %I.%I enable always trigger %I', n.nspname, c.relname, t.tgname)
    when 'R' then format('; alter table %I.%I enable replica trigger %I', n.nspname, c.relname, t.tgname) else '' end as "create",
  format('drop trigger %I on %I.%I', t.tgname, n.nspname, c.relname) as "drop", null::jsonb as parts
from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
where not t.tgisinternal and t.tgparentid = 0 and t.tgname !~ '^shardwright_' and ${foreignSchemas('n')} and ${applicationTable('c')}`

export const selectPolicies = `
select 'policy' as kind, n.nspname || '.' || c.relname || '.' || p.polname as name, n.nspname || '.' || c.relname as "table", d.text as definition,
  format('create policy %I on %I.%I ', p.polname, n.nspname, c.relname) || d.text as "create",
  format('drop policy %I on %I.%I', p.polname, n.nspname, c.relname) as "drop", null::jsonb as parts
from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
cross join lateral (select concat_ws(' ', 'as', case when p.polpermissive then 'permissive' else 'restrictive' end,
  'for', case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
  'to', (select string_agg(case when r = 0 then 'public' else quote_ident(pg_get_userbyid(r)) end, ', ' order by r) from unnest(p.polroles) r),
  'using (' || pg_get_expr(p.polqual, p.polrelid) || ')', 'with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')') as text) d
where ${foreignSchemas('n')} and ${applicationTable('c')}`

export const selectViews = `
select 'view' as kind, n.nspname || '.' || c.relname as name, n.nspname || '.' || c.relname as "table",
  concat_ws(' ', c.relkind::text, c.reloptions::text, pg_get_viewdef(c.oid)) as definition,
  concat('create ', case c.relkind when 'm' then 'materialized ' end, 'view ', format('%I.%I', n.nspname, c.relname),
    case when c.reloptions is not null then ' with (' || array_to_string(c.reloptions, ', ') || ')' end, ' as ', pg_get_viewdef(c.oid)) as "create",
  format('drop %sview %I.%I', case c.relkind when 'm' then 'materialized ' end, n.nspname, c.relname) as "drop",
  jsonb_build_object('columns', (select string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0),
    'reset', (select format('alter view %I.%I reset (%s)', n.nspname, c.relname, string_agg(split_part(o, '=', 1), ', ')) from unnest(c.reloptions) o
      having count(*) > 0),
    'replace', case c.relkind when 'v' then concat('create or replace view ', format('%I.%I', n.nspname, c.relname),
      case when c.reloptions is not null then ' with (' || array_to_string(c.reloptions, ', ') || ')' end, ' as ', pg_get_viewdef(c.oid)) end,
    'indexes', (select string_agg(pg_get_indexdef(i.indexrelid), E';\\n' order by i.indexrelid) from pg_index i where i.indrelid = c.oid)) as parts
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('v', 'm') and ${foreignSchemas('n')} and ${applicationTable('c')}`
