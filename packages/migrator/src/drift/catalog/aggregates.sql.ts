import { foreignSchemas, notOfExtension } from './own-objects.sql.ts'

const modify = (column: string) =>
  `case ${column} when 'r' then 'read_only' when 's' then 'shareable' else 'read_write' end`

export const selectAggregates = `
select 'aggregate' as kind, n.nspname || '.' || p.proname || '(' || i.arguments || ')' as name, null::text as "table", d.text as definition,
  format('create aggregate %I.%I(%s) %s', n.nspname, p.proname, coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*'), d.text) as "create",
  format('drop aggregate %I.%I(%s)', n.nspname, p.proname, i.arguments) as "drop",
  jsonb_build_object('result', pg_get_function_result(p.oid)) as parts
from pg_aggregate a join pg_proc p on p.oid = a.aggfnoid join pg_namespace n on n.oid = p.pronamespace
left join pg_operator o on o.oid = a.aggsortop left join pg_namespace o_n on o_n.oid = o.oprnamespace
cross join lateral (select coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*') as arguments) i
cross join lateral (select '(' || concat_ws(', ', 'sfunc = ' || a.aggtransfn, 'stype = ' || format_type(a.aggtranstype, null),
  'sspace = ' || nullif(a.aggtransspace, 0), case when a.aggfinalfn <> 0 then 'finalfunc = ' || a.aggfinalfn end,
  case when a.aggfinalextra then 'finalfunc_extra' end, 'finalfunc_modify = ' || ${modify('a.aggfinalmodify')},
  case when a.aggcombinefn <> 0 then 'combinefunc = ' || a.aggcombinefn end, case when a.aggserialfn <> 0 then 'serialfunc = ' || a.aggserialfn end,
  case when a.aggdeserialfn <> 0 then 'deserialfunc = ' || a.aggdeserialfn end, 'initcond = ' || quote_literal(a.agginitval),
  case when a.aggmtransfn <> 0 then 'msfunc = ' || a.aggmtransfn end, case when a.aggminvtransfn <> 0 then 'minvfunc = ' || a.aggminvtransfn end,
  case when a.aggmtranstype <> 0 then 'mstype = ' || format_type(a.aggmtranstype, null) end, 'msspace = ' || nullif(a.aggmtransspace, 0),
  case when a.aggmfinalfn <> 0 then 'mfinalfunc = ' || a.aggmfinalfn end, case when a.aggmfinalextra then 'mfinalfunc_extra' end,
  case when a.aggmtransfn <> 0 then 'mfinalfunc_modify = ' || ${modify('a.aggmfinalmodify')} end, 'minitcond = ' || quote_literal(a.aggminitval),
  'sortop = operator(' || quote_ident(o_n.nspname) || '.' || o.oprname || ')',
  'parallel = ' || case p.proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end,
  case when a.aggkind = 'h' then 'hypothetical' end) || ')' as text) d
where ${foreignSchemas('n')} and ${notOfExtension('pg_proc', 'p.oid')}`
