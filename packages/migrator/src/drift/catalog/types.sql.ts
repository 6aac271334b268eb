import { foreignSchemas, notOfExtension } from './own-objects.sql.ts'

const attributeType = `concat(format_type(a.atttypid, a.atttypmod), ' collate ' || nullif(a.attcollation, y.typcollation)::regcollation)`

export const selectTypes = `
select 'type' as kind, n.nspname || '.' || t.typname as name, null::text as "table", d.text as definition,
  format('create %s %I.%I %s', case t.typtype when 'd' then 'domain' else 'type' end, n.nspname, t.typname, d.text) as "create",
  format('drop %s %I.%I', case t.typtype when 'd' then 'domain' else 'type' end, n.nspname, t.typname) as "drop",
  jsonb_build_object('target', format('alter %s %I.%I', case t.typtype when 'd' then 'domain' else 'type' end, n.nspname, t.typname),
    'labels', (select jsonb_agg(e.enumlabel order by e.enumsortorder)::text from pg_enum e where e.enumtypid = t.oid),
    'base', case when t.typtype = 'd' then concat_ws(' ', format_type(t.typbasetype, t.typtypmod), nullif(t.typcollation, b.typcollation)::regcollation) end,
    'default', t.typdefault, 'notNull', case when t.typnotnull then 'not null' end,
    'constraints', case when t.typtype = 'd' then coalesce((select jsonb_object_agg(quote_ident(k.conname), pg_get_constraintdef(k.oid))
      from pg_constraint k where k.contypid = t.oid and k.contype = 'c'), '{}')::text end,
    'attributes', case when t.typtype = 'c' then coalesce((select jsonb_agg(jsonb_build_array(quote_ident(a.attname), ${attributeType}) order by a.attnum)
      from pg_attribute a join pg_type y on y.oid = a.atttypid where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped), '[]')::text end) as parts
from pg_type t join pg_namespace n on n.oid = t.typnamespace
left join pg_class c on c.oid = t.typrelid left join pg_type b on b.oid = t.typbasetype
cross join lateral (select case t.typtype
  when 'e' then 'as enum (' || (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid) || ')'
  when 'd' then concat_ws(' ', 'as', format_type(t.typbasetype, t.typtypmod),
    case when t.typcollation <> b.typcollation then 'collate ' || t.typcollation::regcollation end,
    'default ' || t.typdefault, case when t.typnotnull then 'not null' end,
    (select string_agg(format('constraint %I %s', k.conname, pg_get_constraintdef(k.oid)), ' ' order by k.conname)
     from pg_constraint k where k.contypid = t.oid and k.contype = 'c'))
  when 'r' then (select concat_ws(', ', 'as range (subtype = ' || r.rngsubtype::regtype, 'subtype_opclass = ' || format('%I.%I', on_.nspname, o.opcname),
      case when r.rngcollation <> 0 then 'collation = ' || r.rngcollation::regcollation end,
      case when r.rngcanonical <> 0 then 'canonical = ' || r.rngcanonical end, case when r.rngsubdiff <> 0 then 'subtype_diff = ' || r.rngsubdiff end,
      'multirange_type_name = ' || r.rngmultitypid::regtype) || ')'
    from pg_range r join pg_opclass o on o.oid = r.rngsubopc join pg_namespace on_ on on_.oid = o.opcnamespace where r.rngtypid = t.oid)
  when 'c' then 'as (' || coalesce((select string_agg(quote_ident(a.attname) || ' ' || ${attributeType}, ', ' order by a.attnum)
     from pg_attribute a join pg_type y on y.oid = a.atttypid where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped), '') || ')' end as text) d
where ${foreignSchemas('n')} and ${notOfExtension('pg_type', 't.oid')}
  and (t.typtype in ('e', 'd', 'r') or (t.typtype = 'c' and c.relkind = 'c'))`

export const selectSequences = `
select 'sequence' as kind, n.nspname || '.' || c.relname as name, (select tn.nspname || '.' || t.relname from pg_depend o join pg_class t on t.oid = o.refobjid
    join pg_namespace tn on tn.oid = t.relnamespace where o.classid = 'pg_class'::regclass and o.objid = c.oid and o.refclassid = 'pg_class'::regclass
      and o.deptype = 'a') as "table", d.text as definition,
  format('create sequence %I.%I %s', n.nspname, c.relname, d.text) as "create",
  format('drop sequence %I.%I', n.nspname, c.relname) as "drop", null::jsonb as parts
from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
cross join lateral (select concat_ws(' ', 'as', s.seqtypid::regtype, 'start', s.seqstart, 'increment', s.seqincrement, 'minvalue', s.seqmin,
  'maxvalue', s.seqmax, 'cache', s.seqcache, case when s.seqcycle then 'cycle' end) as text) d
where ${foreignSchemas('n')} and ${notOfExtension('pg_class', 'c.oid')}
  and not exists (select from pg_depend i where i.classid = 'pg_class'::regclass and i.objid = c.oid and i.deptype = 'i')`

export const selectSchemas = `
select 'schema' as kind, n.nspname as name, null::text as "table", n.nspname as definition,
  format('create schema if not exists %I', n.nspname) as "create", format('drop schema %I', n.nspname) as "drop", null::jsonb as parts
from pg_namespace n where ${foreignSchemas('n')} and ${notOfExtension('pg_namespace', 'n.oid')}`

export const selectExtensions = `
select 'extension' as kind, e.extname as name, null::text as "table", e.extversion || ' in ' || n.nspname as definition,
  format('create schema if not exists %I; create extension if not exists %I schema %I version %L', n.nspname, e.extname, n.nspname, e.extversion) as "create",
  format('drop extension %I', e.extname) as "drop", jsonb_build_object('version', e.extversion, 'quoted', quote_ident(e.extname)) as parts
from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname <> 'plpgsql'`
