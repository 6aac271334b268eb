import { identityChange, identityText } from './identity.sql.ts'
import { applicationTable, foreignSchemas } from './own-objects.sql.ts'

export const selectColumns = `
select 'column' as kind, n.nspname || '.' || c.relname || '.' || a.attname as name, n.nspname || '.' || c.relname as "table",
  concat_ws(' ', p.type, 'collate ' || p.collation, p.identity, p.generated, 'default ' || p."default", p."notNull") as definition,
  concat_ws(' ', format('alter table %I.%I add column %I', n.nspname, c.relname, a.attname), p.type, 'collate ' || p.collation,
    p.identity, p.generated, 'default ' || p."default", p."notNull") as "create",
  format('alter table %I.%I drop column %I', n.nspname, c.relname, a.attname) as "drop",
  to_jsonb(p) || jsonb_build_object('identity change', ${identityChange}, 'target', format('alter table %I.%I alter column %I', n.nspname, c.relname, a.attname)) as parts
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
cross join lateral (select format_type(a.atttypid, a.atttypmod) as type,
    case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end as collation,
    ${identityText} as identity,
    case a.attgenerated when 's' then 'generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
                        when 'v' then 'generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ')' end as generated,
    case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as "default",
    case when a.attnotnull then 'not null' end as "notNull") p
where c.relkind in ('r', 'p', 'f') and a.attnum > 0 and not a.attisdropped and ${foreignSchemas('n')} and ${applicationTable('c')}`
