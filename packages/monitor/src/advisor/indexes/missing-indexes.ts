import { byObject, defineAdvisor } from '../advisor.ts'

interface Row {
  readonly table: string
  readonly problem: string
  readonly partitioned: boolean
}

/** Foreign keys without an index on the side that refers, and large tables that are read whole again and again. */
export const missingIndexes = defineAdvisor<readonly Row[]>({
  name: 'missing-indexes',
  topic: 'indexes',
  async gather(connection) {
    return (await connection.query<Row>(query)).rows
  },
  judge: (read) =>
    [...byObject(read, ({ table, problem }) => `${table} ${problem}`)].map(([, seen]) => {
      const { table, problem, partitioned } = seen[0]!.row
      return {
        severity: 'advice',
        shards: seen.map(({ shard }) => shard),
        object: table,
        message: `${table} ${problem}`,
        remedy: partitioned
          ? 'An index on the columns that are searched, built partition by partition: `indexes` of its partition policy.'
          : 'CREATE INDEX CONCURRENTLY on the columns that are searched.',
      }
    }),
})

const query = `
  select k.conrelid::regclass::text as table, 'has no index for its foreign key ' || k.conname as problem,
    exists (select from pg_partitioned_table p where p.partrelid = k.conrelid) as partitioned
  from pg_constraint k
  where k.contype = 'f' and k.conparentid = 0
    and coalesce((select sum(pg_relation_size(relid)) from pg_partition_tree(k.conrelid)), pg_relation_size(k.conrelid)) > 1024 * 1024
    and not exists (select from pg_index i where i.indrelid = k.conrelid and i.indisvalid and i.indpred is null
      and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)
  union all
  select schemaname || '.' || relname, 'is read whole: ' || seq_scan || ' scans of ' || n_live_tup || ' rows', false
  from pg_stat_user_tables
  where seq_scan > 100 and n_live_tup > 100000 and seq_scan > coalesce(idx_scan, 0) and schemaname <> 'shardwright'`
