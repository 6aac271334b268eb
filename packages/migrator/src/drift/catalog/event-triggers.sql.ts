import { notOfExtension } from './own-objects.sql.ts'

export const selectEventTriggers = `
select 'event trigger' as kind, e.evtname::text as name, null::text as "table", d.text as definition, d.text as "create",
  format('drop event trigger %I', e.evtname) as "drop", null::jsonb as parts
from pg_event_trigger e
cross join lateral (select concat_ws(' ', format('create event trigger %I on %s', e.evtname, e.evtevent),
    'when tag in (' || (select string_agg(quote_literal(tag), ', ' order by tag) from unnest(e.evttags) tag) || ')',
    format('execute function %s()', e.evtfoid::regproc))
  || case e.evtenabled when 'D' then format('; alter event trigger %I disable', e.evtname)
    when 'A' then format('; alter event trigger %I enable always', e.evtname)
    when 'R' then format('; alter event trigger %I enable replica', e.evtname) else '' end as text) d
where e.evtname !~ '^shardwright_' and ${notOfExtension('pg_event_trigger', 'e.oid')}`
