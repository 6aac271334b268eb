import { applicationTable, foreignSchemas } from './own-objects.sql.ts'

export const selectIndexes = `
select 'index' as kind, n.nspname || '.' || x.relname as name, n.nspname || '.' || c.relname as "table",
  concat_ws(' ', pg_get_indexdef(x.oid), case when not i.indisvalid then 'INVALID' end,
    case when i.indisreplident then 'replica identity' end, x.reloptions::text) as definition,
  case when c.relkind = 'p' then p.before || ' ' || p.after || substr(pg_get_indexdef(x.oid), length(p.before || ' ONLY ' || p.after) + 1)
    else pg_get_indexdef(x.oid) end as "create",
  format('drop index %I.%I', n.nspname, x.relname) as "drop",
  jsonb_build_object('valid', case when i.indisvalid then 'yes' end, 'concurrently', case when c.relkind <> 'p' then 'yes' end) as parts
from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = x.relnamespace
-- ON ONLY would leave the partitions without it, and the index invalid.
cross join lateral (select format('CREATE %sINDEX %I ON', case when i.indisunique then 'UNIQUE ' end, x.relname) as before,
  format('%I.%I', n.nspname, c.relname) as after) p
where c.relkind in ('r', 'p', 'm') and ${foreignSchemas('n')} and ${applicationTable('c')} and not x.relispartition
  and not exists (select from pg_constraint k where k.conindid = x.oid and k.contype in ('p', 'u', 'x'))`
