import { columnSettings, storageOptions } from '../inspect/table-settings.ts'

/** What converts along with a table, and what stands in the way. Each query takes $1 = the table's oid. */

export const sourceQuery = `
select c.oid::text as oid, c.relkind::text as relkind, c.relpersistence::text as persistence,
       c.relispartition or exists (select from pg_inherits i where c.oid in (i.inhrelid, i.inhparent)) as inherits,
       pg_get_userbyid(c.relowner)::text as owner, pg_get_userbyid(c.relowner) = current_user as owned_by_us,
       c.relreplident::text as replica_identity, c.relrowsecurity as row_security, c.relforcerowsecurity as force_row_security,
       coalesce(${storageOptions('c')}, '') as options, obj_description(c.oid, 'pg_class') as comment,
       coalesce(${columnSettings('c')}, '') as column_settings, greatest(c.reltuples, 0)::float8 as estimated_rows,
       to_regclass('pg_catalog.pg_dist_partition') is not null as has_citus
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname = $2`

export interface SourceRow {
  readonly oid: string
  readonly relkind: string
  readonly persistence: string
  readonly inherits: boolean
  readonly owner: string
  readonly owned_by_us: boolean
  readonly replica_identity: string
  readonly row_security: boolean
  readonly force_row_security: boolean
  /** `"fillfactor" = '70'`, or empty. */
  readonly options: string
  /** `alter column ...`, separated by commas, or empty. */
  readonly column_settings: string
  readonly comment: string | null
  readonly estimated_rows: number
  readonly has_citus: boolean
}

export const columnQuery = `
select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type, t.typname::text as type_name,
       a.attnotnull as not_null, a.attgenerated <> '' as generated, a.attidentity <> '' as identity,
       pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname) as sequence,
       (select s.relname::text from pg_class s
         where s.oid = pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname)::regclass) as sequence_name
  from pg_attribute a
  join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_type t on t.oid = a.atttypid
 where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
 order by a.attnum`

export interface ColumnRow {
  readonly name: string
  readonly type: string
  readonly type_name: string
  readonly not_null: boolean
  readonly generated: boolean
  readonly identity: boolean
  /** Qualified and quoted. */
  readonly sequence: string | null
  readonly sequence_name: string | null
}

/** Indexes with the constraint they serve, if any. */
export const indexQuery = `
select ic.relname::text as name, x.indisunique as unique, x.indisvalid as valid, k.contype::text as constraint_type,
       pg_get_constraintdef(k.oid) as constraint_definition,
       substr(pg_get_indexdef(ic.oid), length(format('CREATE %sINDEX %I ON %I.%I ',
         case when x.indisunique then 'UNIQUE ' else '' end, ic.relname, n.nspname, tc.relname)) + 1) as definition,
       array(select a.attname::text from unnest(x.indkey[0:x.indnkeyatts - 1]) with ordinality as u(attnum, at)
               left join pg_attribute a on a.attrelid = x.indrelid and a.attnum = u.attnum order by u.at) as columns
  from pg_index x
  join pg_class ic on ic.oid = x.indexrelid join pg_class tc on tc.oid = x.indrelid
  join pg_namespace n on n.oid = tc.relnamespace
  left join pg_constraint k on k.conindid = ic.oid and k.conrelid = x.indrelid and k.contype in ('p', 'u', 'x')
 where x.indrelid = $1::oid
 order by k.contype = 'p' desc nulls last, ic.relname`

export interface IndexRow {
  readonly name: string
  readonly unique: boolean
  readonly valid: boolean
  readonly constraint_type: string | null
  readonly constraint_definition: string | null
  readonly definition: string
  readonly columns: readonly (string | null)[]
}

export const constraintQuery = `
select conname::text as name, contype::text as type, connoinherit as no_inherit, convalidated as valid, pg_get_constraintdef(oid) as definition
  from pg_constraint where conrelid = $1::oid and contype in ('f', 'c') order by conname`

export interface ConstraintRow {
  readonly name: string
  readonly type: 'f' | 'c'
  readonly no_inherit: boolean
  readonly valid: boolean
  readonly definition: string
}

export const incomingQuery = `
select k.conname::text as name, n.nspname::text as schema, c.relname::text as table, c.relkind::text as relkind,
       pg_get_constraintdef(k.oid) as definition, k.conrelid = k.confrelid as to_itself
  from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
 where k.confrelid = $1::oid and k.contype = 'f' and k.conparentid = 0 order by k.conname`

export interface IncomingRow {
  readonly name: string
  readonly schema: string
  readonly table: string
  readonly relkind: string
  readonly definition: string
  readonly to_itself: boolean
}

export const triggerQuery = `
select tgname::text as name, pg_get_triggerdef(oid) as definition, tgenabled::text as enabled,
       (tgtype & 1) = 1 and (tgoldtable is not null or tgnewtable is not null) as row_with_transition
  from pg_trigger
 where tgrelid = $1::oid and not tgisinternal and tgname not like 'shardwright\\_convert%' order by tgname`

export interface TriggerRow {
  readonly name: string
  readonly definition: string
  readonly enabled: string
  readonly row_with_transition: boolean
}

export const policyQuery = `
select polname::text as name, polpermissive as permissive, polcmd::text as command,
       array(select case when r = 0 then 'public' else quote_ident(pg_get_userbyid(r)) end from unnest(polroles) r) as roles,
       pg_get_expr(polqual, polrelid) as using, pg_get_expr(polwithcheck, polrelid) as check
  from pg_policy where polrelid = $1::oid order by polname`

export interface PolicyRow {
  readonly name: string
  readonly permissive: boolean
  readonly command: string
  readonly roles: readonly string[]
  readonly using: string | null
  readonly check: string | null
}

/** Grants on the table and on its columns. */
export const grantQuery = `
select case when g.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end as grantee,
       g.privilege_type as privilege, g.is_grantable as grantable, null::text as column
  from pg_class c, aclexplode(c.relacl) g where c.oid = $1::oid and g.grantee <> c.relowner
union all
select case when g.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
       g.privilege_type, g.is_grantable, a.attname::text
  from pg_attribute a, aclexplode(a.attacl) g where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
 order by 1, 2`

export interface GrantRow {
  readonly grantee: string
  readonly privilege: string
  readonly grantable: boolean
  readonly column: string | null
}

/** Grants on the sequence of an identity column, which the new table has under the same name. */
export const sequenceGrantQuery = `
select case when g.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end as grantee,
       g.privilege_type as privilege, g.is_grantable as grantable, format('%I.%I', n.nspname, s.relname) as sequence
  from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S' join pg_namespace n on n.oid = s.relnamespace,
       aclexplode(s.relacl) g
 where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = $1::oid and d.deptype = 'i'
   and g.grantee <> s.relowner
 order by 1, 2`

export interface SequenceGrantRow {
  readonly grantee: string
  readonly privilege: string
  readonly grantable: boolean
  /** Qualified and quoted. */
  readonly sequence: string
}

/** Extended statistics; the definition names the table, whose name the new one takes over. */
export const statisticsQuery = `
select n.nspname::text as schema, s.stxname::text as name, pg_get_statisticsobjdef(s.oid) as definition,
       obj_description(s.oid, 'pg_statistic_ext') as comment
  from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace where s.stxrelid = $1::oid order by 1, 2`

export interface StatisticsRow {
  readonly schema: string
  readonly name: string
  readonly definition: string
  readonly comment: string | null
}

/** Comments on what belongs to the table, as statements; those of columns and checks are copied with the columns. */
export const commentQuery = `
select format('comment on index %I.%I is %L', n.nspname, c.relname, d.description) as sql
  from pg_index x join pg_class c on c.oid = x.indexrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_description d on d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid = 0
 where x.indrelid = $1::oid and x.indisvalid
union all
select format('comment on constraint %I on %s is %L', k.conname, k.conrelid::regclass, d.description)
  from pg_constraint k join pg_description d on d.classoid = 'pg_constraint'::regclass and d.objoid = k.oid
 where k.conrelid = $1::oid and k.contype in ('p', 'u', 'f')
union all
select format('comment on trigger %I on %s is %L', t.tgname, t.tgrelid::regclass, d.description)
  from pg_trigger t join pg_description d on d.classoid = 'pg_trigger'::regclass and d.objoid = t.oid where t.tgrelid = $1::oid
union all
select format('comment on policy %I on %s is %L', p.polname, p.polrelid::regclass, d.description)
  from pg_policy p join pg_description d on d.classoid = 'pg_policy'::regclass and d.objoid = p.oid where p.polrelid = $1::oid
 order by 1`

export const publicationQuery = `
select p.pubname::text as name, (to_jsonb(r) ->> 'prqual') is not null or (to_jsonb(r) ->> 'prattrs') is not null as filtered
  from pg_publication_rel r join pg_publication p on p.oid = r.prpubid where r.prrelid = $1::oid order by 1`

export interface PublicationRow {
  readonly name: string
  readonly filtered: boolean
}

/** Views, rules and SQL functions hold the table by its oid, and would go on with the old one. */
export const dependentQuery = `
select distinct pg_describe_object(d.classid, d.objid, 0) as name
  from pg_depend d
 where d.refclassid = 'pg_class'::regclass and d.refobjid = $1::oid and d.deptype = 'n'
   and (d.classid in ('pg_rewrite'::regclass, 'pg_proc'::regclass)
        or (d.classid = 'pg_policy'::regclass and d.objid not in (select oid from pg_policy where polrelid = $1::oid)))
union
select pg_describe_object('pg_rewrite'::regclass, oid, 0) from pg_rewrite where ev_class = $1::oid
union
select format('column %I of %s', a.attname, a.attrelid::regclass)
  from pg_attribute a join pg_class c on c.reltype = a.atttypid or
       a.atttypid = (select typarray from pg_type where oid = c.reltype)
 where c.oid = $1::oid and a.attrelid <> c.oid
 order by 1`
