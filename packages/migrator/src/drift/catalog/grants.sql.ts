import { ownedObjects, roleText } from './owned-objects.sql.ts'

// PUBLIC may use functions and types unless that was taken away: then there is an object that says `nothing`.
/** What others than the owner may do: one object for each grantee, columns with their table. Who granted it is not compared. */
export const selectGrants = `
select 'grant' as kind, g.of_kind || ' ' || g.of_name || ' to ' || g.grantee as name, g."table",
  coalesce(nullif(concat_ws(', ', g.plain, g.grantable || ' with grant option'), ''), 'nothing') as definition,
  coalesce(nullif(concat_ws('; ', 'grant ' || g.plain || format(' on %s to %s', g.granted, g.grantee),
    'grant ' || g.grantable || format(' on %s to %s with grant option', g.granted, g.grantee)), ''),
    format('revoke all on %s from %s', g.granted, g.grantee)) as "create",
  format('revoke all on %s from %s', g.granted, g.grantee) as "drop",
  jsonb_build_object('of', g.of_kind || ' ' || g.of_name, 'on', g.granted, 'to', g.grantee, 'plain', g.plain_list, 'grantable', g.grantable_list,
    'by default', case when g.grantee = 'public' and g.plain = g.by_default and g.grantable is null then 'yes' end) as parts
from (select o.of_kind, o.of_name, o."table", o.granted, r.grantee, max(public.rights) as by_default,
    string_agg(p.text, ', ' order by p.text) filter (where not a.is_grantable) as plain,
    string_agg(p.text, ', ' order by p.text) filter (where a.is_grantable) as grantable,
    jsonb_agg(p.text order by p.text) filter (where not a.is_grantable and p.text is not null)::text as plain_list,
    jsonb_agg(p.text order by p.text) filter (where a.is_grantable)::text as grantable_list
  from (${ownedObjects}) o
  cross join lateral (select string_agg(lower(d.privilege_type), ', ' order by lower(d.privilege_type)) as rights
    from aclexplode(acldefault(o.letter, o.owner)) d where d.grantee = 0) public
  cross join lateral (select e.grantee, e.privilege_type, bool_or(e.is_grantable) as is_grantable
    from aclexplode(coalesce(o.acl, acldefault(o.letter, o.owner))) e group by 1, 2
    union all select 0::oid, null, false where public.rights is not null and o.acl is not null
      and not exists (select from aclexplode(o.acl) e where e.grantee = 0)) a
  cross join lateral (select ${roleText('a.grantee')} as grantee) r
  cross join lateral (select lower(a.privilege_type) || coalesce(' (' || quote_ident(o."column") || ')', '') as text) p
  where a.grantee <> o.owner
  group by 1, 2, 3, 4, 5) g`
