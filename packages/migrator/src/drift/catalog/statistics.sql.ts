import { applicationTable, foreignSchemas } from './own-objects.sql.ts'

export const selectStatistics = `
select 'statistics' as kind, n.nspname || '.' || s.stxname as name, cn.nspname || '.' || c.relname as "table", d.text as definition, d.text as "create",
  format('drop statistics %I.%I', n.nspname, s.stxname) as "drop", null::jsonb as parts
from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
join pg_class c on c.oid = s.stxrelid join pg_namespace cn on cn.oid = c.relnamespace
cross join lateral (select pg_get_statisticsobjdef(s.oid)
  || coalesce(format('; alter statistics %I.%I set statistics ', n.nspname, s.stxname) || nullif(to_jsonb(s) ->> 'stxstattarget', '-1'), '') as text) d
where ${foreignSchemas('cn')} and ${applicationTable('c')}`
