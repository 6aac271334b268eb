import { applicationTable, foreignSchemas } from './own-objects.sql.ts'

/** A view's own rule (_RETURN) is its query, which is compared with the view. */
export const selectRules = `
select 'rule' as kind, n.nspname || '.' || c.relname || '.' || r.rulename as name, n.nspname || '.' || c.relname as "table",
  d.text as definition, d.text as "create", format('drop rule %I on %I.%I', r.rulename, n.nspname, c.relname) as "drop", null::jsonb as parts
from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
cross join lateral (select rtrim(pg_get_ruledef(r.oid), ';') || case r.ev_enabled
    when 'D' then format('; alter table %I.%I disable rule %I', n.nspname, c.relname, r.rulename)
    when 'A' then format('; alter table %I.%I enable always rule %I', n.nspname, c.relname, r.rulename)
    when 'R' then format('; alter table %I.%I enable replica rule %I', n.nspname, c.relname, r.rulename) else '' end as text) d
where r.rulename <> '_RETURN' and ${foreignSchemas('n')} and ${applicationTable('c')}`
