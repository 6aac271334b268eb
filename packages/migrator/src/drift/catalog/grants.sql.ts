import { ownedObjects, roleText } from './owned-objects.sql.ts'

/** What others than the owner may do: one object for each grantee, columns with their table. Who granted it is not compared. */
export const selectGrants = `
select 'grant' as kind, g.of_kind || ' ' || g.of_name || ' to ' || g.grantee as name, g."table",
  concat_ws(', ', g.plain, g.grantable || ' with grant option') as definition,
  concat_ws('; ', 'grant ' || g.plain || format(' on %s to %s', g.granted, g.grantee),
    'grant ' || g.grantable || format(' on %s to %s with grant option', g.granted, g.grantee)) as "create",
  format('revoke all on %s from %s', g.granted, g.grantee) as "drop",
  jsonb_build_object('of', g.of_kind || ' ' || g.of_name, 'on', g.granted, 'to', g.grantee, 'plain', g.plain_list, 'grantable', g.grantable_list,
    'by default', case when g.by_default then 'yes' end) as parts
from (select o.of_kind, o.of_name, o."table", o.granted, r.grantee, bool_and(o.acl is null) as by_default,
    string_agg(p.text, ', ' order by p.text) filter (where not a.is_grantable) as plain,
    string_agg(p.text, ', ' order by p.text) filter (where a.is_grantable) as grantable,
    jsonb_agg(p.text order by p.text) filter (where not a.is_grantable)::text as plain_list,
    jsonb_agg(p.text order by p.text) filter (where a.is_grantable)::text as grantable_list
  from (${ownedObjects}) o
  cross join lateral (select e.grantee, e.privilege_type, bool_or(e.is_grantable) as is_grantable
    from aclexplode(coalesce(o.acl, acldefault(o.letter, o.owner))) e group by 1, 2) a
  cross join lateral (select ${roleText('a.grantee')} as grantee) r
  cross join lateral (select lower(a.privilege_type) || coalesce(' (' || quote_ident(o."column") || ')', '') as text) p
  where a.grantee <> o.owner
  group by 1, 2, 3, 4, 5) g`
