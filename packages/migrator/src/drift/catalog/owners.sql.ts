import { applicationTable, foreignSchemas } from './own-objects.sql.ts'
import { ownedObjects, roleText } from './owned-objects.sql.ts'

/** Roles that own objects, and columns that own sequences (as serial makes them). */
export const selectOwners = `
select 'owner' as kind, o.of_kind || ' ' || o.of_name as name, o."table", r.owner as definition, format('alter %s owner to %s', o.altered, r.owner) as "create",
  '' as "drop", jsonb_build_object('of', o.of_kind || ' ' || o.of_name) as parts
from (${ownedObjects}) o cross join lateral (select ${roleText('o.owner')} as owner) r
where o.altered is not null
union all
select 'owner', 'sequence ' || n.nspname || '.' || s.relname, n.nspname || '.' || c.relname, 'column ' || n.nspname || '.' || c.relname || '.' || a.attname,
  format('alter sequence %I.%I owned by %I.%I.%I', n.nspname, s.relname, n.nspname, c.relname, a.attname),
  format('alter sequence %I.%I owned by none', n.nspname, s.relname), null::jsonb
from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S' join pg_class c on c.oid = d.refobjid
join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype = 'a' and ${foreignSchemas('n')} and ${applicationTable('c')}`
