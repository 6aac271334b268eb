import type { FleetConnection } from '@shardwright/core'
import type { View } from '../definition/view.ts'

export interface ViewState {
  /** pg_class.relkind: `m` is a materialized view. */
  readonly kind: string
  readonly populated: boolean
  /** A valid unique index over exactly the columns of `uniqueOn`, without predicate or expression. */
  readonly uniqueIndex: boolean
}

/** What is on the server under the view's name, or undefined. */
export async function inspectView(connection: FleetConnection, view: View): Promise<ViewState | undefined> {
  const { rows } = await connection.query<ViewState>(
    `select c.relkind as kind, c.relispopulated as populated,
            exists (
              select from pg_index i
               where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null
                 and i.indexprs is null
                 and (select array_agg(a.attname::text order by a.attname::text)
                        from unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) k join pg_attribute a
                          on a.attrelid = c.oid and a.attnum = k)
                     = (select array_agg(u order by u) from unnest($3::text[]) u)
            ) as "uniqueIndex"
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and c.relname = $2`,
    [view.schema, view.name, view.uniqueOn],
  )
  return rows[0]
}
