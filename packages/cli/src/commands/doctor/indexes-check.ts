import { type Check, onEveryShard, type Symptom } from './check.ts'

interface Found {
  readonly kind: 'unused' | 'missing'
  readonly object: string
  readonly detail: string
}

/** Indexes that nothing reads, and foreign keys and large scanned tables without one. */
export const indexesCheck: Check = {
  name: 'indexes',
  run: (patient) =>
    onEveryShard(patient, async (connection) => {
      const { rows } = await connection.query<Found>(query)
      return rows.map(
        ({ kind, object, detail }): Symptom => ({
          check: 'indexes',
          severity: 'advice',
          shard: connection.shardId,
          message:
            kind === 'unused'
              ? `nothing has read the index ${object} (${detail}) since the statistics began`
              : `${object} ${detail}`,
          remedy:
            kind === 'unused'
              ? 'Drop it when that holds on every shard and replica.'
              : 'CREATE INDEX CONCURRENTLY on the columns that are searched.',
        }),
      )
    }),
}

const query = `
select 'unused' as kind, s.schemaname || '.' || s.indexrelname as object, pg_size_pretty(pg_relation_size(s.indexrelid)) as detail
from pg_stat_user_indexes s join pg_index i on i.indexrelid = s.indexrelid
where s.idx_scan = 0 and not i.indisunique and pg_relation_size(s.indexrelid) > 8 * 1024 * 1024 and s.schemaname <> 'shardwright'
union all
select 'missing', k.conrelid::regclass::text, 'has no index for its foreign key ' || k.conname
from pg_constraint k where k.contype = 'f' and k.conparentid = 0 and pg_relation_size(k.conrelid) > 1024 * 1024
  and not exists (select from pg_index i where i.indrelid = k.conrelid and i.indisvalid
    and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)
union all
select 'missing', schemaname || '.' || relname, 'is read whole: ' || seq_scan || ' scans of ' || n_live_tup || ' rows'
from pg_stat_user_tables where seq_scan > 100 and n_live_tup > 100000 and seq_scan > idx_scan and schemaname <> 'shardwright'`
