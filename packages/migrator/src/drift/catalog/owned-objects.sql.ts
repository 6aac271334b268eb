import { applicationTable, foreignSchemas, notOfExtension } from './own-objects.sql.ts'

/**
 * What has an owner and grants: its kind and name as the other queries give them, how ALTER and GRANT name it, and the letter
 * of `acldefault`.
 */
export const ownedObjects = `
select case when c.relkind in ('v', 'm') then 'view' when c.relkind = 'S' then 'sequence' else 'table' end as of_kind, n.nspname || '.' || c.relname as of_name,
  case when c.relkind = 'S' then t.name else n.nspname || '.' || c.relname end as "table", case when c.relkind = 'S' then 's' else 'r' end::"char" as letter,
  c.relowner as owner, c.relacl as acl, null::text as "column",
  -- The sequence of a column has the owner of its table.
  case when t.name is null then 'table ' || format('%I.%I', n.nspname, c.relname) end as altered,
  case when c.relkind = 'S' then 'sequence ' else 'table ' end || format('%I.%I', n.nspname, c.relname) as granted
from pg_class c join pg_namespace n on n.oid = c.relnamespace
left join lateral (select tn.nspname || '.' || tc.relname as name from pg_depend i join pg_class tc on tc.oid = i.refobjid
  join pg_namespace tn on tn.oid = tc.relnamespace where i.classid = 'pg_class'::regclass and i.objid = c.oid and i.refclassid = 'pg_class'::regclass
    and i.deptype in ('a', 'i') and c.relkind = 'S') t on true
where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S') and ${foreignSchemas('n')} and ${applicationTable('c')}
union all
select 'table', n.nspname || '.' || c.relname, n.nspname || '.' || c.relname, 'c', c.relowner, a.attacl, a.attname::text, null,
  'table ' || format('%I.%I', n.nspname, c.relname)
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where a.attacl is not null and a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'f', 'v', 'm') and ${foreignSchemas('n')} and ${applicationTable('c')}
union all
select case when p.prokind = 'a' then 'aggregate' else 'function' end, n.nspname || '.' || p.proname || '('
    || case when p.prokind = 'a' then coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*') else pg_get_function_identity_arguments(p.oid) end || ')',
  null, 'f', p.proowner, p.proacl, null, r.text, r.text
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
cross join lateral (select 'routine ' || format('%I.%I(%s)', n.nspname, p.proname,
  (select string_agg(format_type(t.type, null), ', ' order by t.at) from unnest(p.proargtypes) with ordinality t(type, at))) as text) r
where ${foreignSchemas('n')} and ${notOfExtension('pg_proc', 'p.oid')}
  and not exists (select from pg_depend i where i.classid = 'pg_proc'::regclass and i.objid = p.oid and i.refclassid = 'pg_type'::regclass and i.deptype = 'i')
union all
select 'type', n.nspname || '.' || t.typname, null, 'T', t.typowner, t.typacl, null,
  case t.typtype when 'd' then 'domain ' else 'type ' end || format('%I.%I', n.nspname, t.typname), 'type ' || format('%I.%I', n.nspname, t.typname)
from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
where (t.typtype in ('e', 'd', 'r') or (t.typtype = 'c' and c.relkind = 'c')) and ${foreignSchemas('n')} and ${notOfExtension('pg_type', 't.oid')}
union all
select 'schema', n.nspname::text, null, 'n', n.nspowner, n.nspacl, null, 'schema ' || quote_ident(n.nspname), 'schema ' || quote_ident(n.nspname)
from pg_namespace n where ${foreignSchemas('n')} and ${notOfExtension('pg_namespace', 'n.oid')}`

/** The role that reads stands for itself: each shard, and each environment, may have one of its own. */
export const roleText = (oid: string) =>
  `case when ${oid} = 0 then 'public' when pg_get_userbyid(${oid}) = current_user then 'current_user' else quote_ident(pg_get_userbyid(${oid})) end`
