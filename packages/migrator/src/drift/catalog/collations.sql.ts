import { foreignSchemas, notOfExtension } from './own-objects.sql.ts'

// The columns of pg_collation have changed their names over the versions.
export const selectCollations = `
select 'collation' as kind, n.nspname || '.' || c.collname as name, null::text as "table", d.text as definition,
  format('create collation %I.%I %s', n.nspname, c.collname, d.text) as "create",
  format('drop collation %I.%I', n.nspname, c.collname) as "drop", null::jsonb as parts
from pg_collation c join pg_namespace n on n.oid = c.collnamespace cross join lateral (select to_jsonb(c) as row) j
cross join lateral (select '(' || concat_ws(', ', 'provider = ' || case c.collprovider when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end,
  'locale = ' || quote_literal(coalesce(j.row ->> 'colllocale', j.row ->> 'colliculocale')),
  'lc_collate = ' || quote_literal(case when c.collprovider = 'c' then c.collcollate end),
  'lc_ctype = ' || quote_literal(case when c.collprovider = 'c' then c.collctype end),
  case when not c.collisdeterministic then 'deterministic = false' end, 'rules = ' || quote_literal(j.row ->> 'collicurules')) || ')' as text) d
where ${foreignSchemas('n')} and ${notOfExtension('pg_collation', 'c.oid')}`
