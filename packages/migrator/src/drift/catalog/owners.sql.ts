import { ownedObjects, roleText } from './owned-objects.sql.ts'

export const selectOwners = `
select 'owner' as kind, o.of_kind || ' ' || o.of_name as name, o."table", r.owner as definition, format('alter %s owner to %s', o.altered, r.owner) as "create",
  '' as "drop", jsonb_build_object('of', o.of_kind || ' ' || o.of_name) as parts
from (${ownedObjects}) o cross join lateral (select ${roleText('o.owner')} as owner) r
where o.altered is not null`
