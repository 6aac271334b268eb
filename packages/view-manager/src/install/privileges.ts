import type { FleetConnection } from '@shardwright/core'
import { qualified } from '../sql/quote.ts'
import type { Subject } from '../state/registry.ts'

/** Gives `to` the owner and the grants of `from`, which it is about to replace; of columns, where it has them too. */
export async function copyPrivileges(connection: FleetConnection, from: Subject, to: Subject): Promise<void> {
  const { rows } = await connection.query<{ sql: string }>(
    `with old as (
       select c.oid, c.relowner, c.relacl from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = $2
     )
     select format('grant %s on %s to %s%s', a.privilege_type, $3::text,
                   case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end,
                   case when a.is_grantable then ' with grant option' else '' end) as sql
       from old, aclexplode(old.relacl) a where a.grantee <> old.relowner
     union all
     select format('grant %s (%I) on %s to %s%s', a.privilege_type, c.attname, $3::text,
                   case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end,
                   case when a.is_grantable then ' with grant option' else '' end)
       from old
         join pg_attribute c on c.attrelid = old.oid and c.attnum > 0 and not c.attisdropped
         join pg_attribute there on there.attrelid = $3::text::regclass and there.attname = c.attname
         cross join aclexplode(c.attacl) a
      where a.grantee <> old.relowner
     union all
     select format('alter materialized view %s owner to %I', $3::text, pg_get_userbyid(relowner))
       from old where pg_get_userbyid(relowner) <> current_user`,
    [from.schema, from.name, qualified(to.schema, to.name)],
  )
  for (const { sql } of rows) await connection.query(sql)
}
