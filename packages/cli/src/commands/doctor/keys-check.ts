import { type Check, onEveryShard, type Symptom } from './check.ts'

/** Sharded tables whose primary key leaves out the shard key, and tables that nobody has placed. */
export const keysCheck: Check = {
  name: 'keys',
  run: (patient) =>
    onEveryShard(patient, 'keys', async (connection) => {
      const { rows } = await connection.query<{ schema: string; table: string; columns: string[] | null }>(`
        select n.nspname as schema, c.relname as "table", (select array_agg(a.attname::text) from pg_constraint k
          join pg_attribute a on a.attrelid = k.conrelid and a.attnum = any(k.conkey) where k.conrelid = c.oid and k.contype = 'p') as columns
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'shardwright')
          and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e') order by 1, 2`)
      return rows.flatMap(({ schema, table, columns }): Symptom[] => {
        const at = { check: 'keys', shard: connection.shardId }
        const placement = patient.schema.find(table, schema)
        if (!placement)
          return [
            {
              ...at,
              severity: 'advice',
              message: `${schema}.${table} has no placement: the router refuses it`,
              remedy: 'Place it in defineSchema.',
            },
          ]
        if (placement.kind !== 'sharded' || columns?.includes(placement.key)) return []
        return [
          {
            ...at,
            severity: 'error',
            message: `the primary key of ${schema}.${table} leaves out ${placement.key}`,
            remedy: `PRIMARY KEY (${placement.key}, ...)`,
          },
        ]
      })
    }),
}
