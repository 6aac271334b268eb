import { byObject, defineAdvisor } from '../advisor.ts'

interface Row {
  readonly index: string
  readonly scans: number
  readonly size: string
  readonly large: boolean
}

const smallest = 8 * 1024 * 1024

/**
 * Indexes that nothing has read on any shard. What a constraint, or uniqueness, needs is in use without being read; and of two
 * equal ones the planner reads either, so the one it leaves alone is not the one to drop. An index of partitions is one index.
 */
export const unusedIndexes = defineAdvisor<readonly Row[]>({
  name: 'unused-indexes',
  topic: 'indexes',
  async gather(connection) {
    const { rows } = await connection.query<Row>(
      `select format('%I.%I', n.nspname, c.relname) as index, sum(s.idx_scan)::float8 as scans,
         pg_size_pretty(sum(pg_relation_size(s.indexrelid))) as size, sum(pg_relation_size(s.indexrelid)) > $1 as large
       from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
         join pg_stat_user_indexes s on coalesce(pg_partition_root(s.indexrelid), s.indexrelid) = i.indexrelid
       where not c.relispartition and not i.indisunique and not i.indisreplident and n.nspname <> 'shardwright'
         and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
         and not exists (select from pg_index t where t.indrelid = i.indrelid and t.indexrelid <> i.indexrelid
           and t.indkey = i.indkey and coalesce(pg_get_expr(t.indexprs, t.indrelid), '') = coalesce(pg_get_expr(i.indexprs, i.indrelid), '')
           and coalesce(pg_get_expr(t.indpred, t.indrelid), '') = coalesce(pg_get_expr(i.indpred, i.indrelid), ''))
       group by n.nspname, c.relname`,
      [smallest],
    )
    return rows
  },
  judge: (read) =>
    [...byObject(read, ({ index }) => index)].flatMap(([index, seen]) => {
      // Read on one shard is in use: the same schema stands on all.
      if (seen.some(({ row }) => row.scans > 0)) return []
      const large = seen.filter(({ row }) => row.large)
      const [first] = large
      if (first === undefined) return []
      return [
        {
          severity: 'advice' as const,
          shards: large.map(({ shard }) => shard),
          object: index,
          message: `nothing has read the index ${index} (${first.row.size}) since the statistics began`,
          remedy: 'Drop it when that holds on every shard and replica.',
        },
      ]
    }),
})
