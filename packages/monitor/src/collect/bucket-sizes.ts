import {
  bucketOf,
  bucketsOfShard,
  type FleetConnection,
  type KeyType,
  type KeyTypes,
  type Schema,
  type ShardedTable,
  type Topology,
} from '@shardwright/core'
import { z } from 'zod'
import { parseOptions } from '../errors/parse-options.ts'
import type { Collector } from './collector.ts'
import type { Sample } from './sample.ts'

export interface BucketSizesOptions {
  readonly topology: Topology
  readonly schema: Schema
  /** Made by `inspectKeys`. */
  readonly keys: KeyTypes
  /** About so many rows of each table are read. Default: 20000. */
  readonly sampleRows?: number | undefined
  /** Between two samples of a shard, milliseconds; what was found is told meanwhile. Default: 3600000. */
  readonly everyMs?: number | undefined
}

interface Size {
  rows: number
  bytes: number
}

interface Measured {
  readonly atMs: number
  readonly samples: readonly Sample[]
}

const shape = z.strictObject({
  topology: z.custom<Topology>(),
  schema: z.custom<Schema>(),
  keys: z.custom<KeyTypes>(),
  sampleRows: z.number().positive().default(20_000),
  everyMs: z.number().nonnegative().default(3_600_000),
})

/**
 * Rows and bytes of each bucket of a shard, all sharded tables together, estimated from a sample of their pages: which bucket
 * to move, and whether some are far larger than others. It is not among the default collectors, as it reads tables.
 * @throws MonitorError MONITOR_INVALID_OPTIONS
 * @example
 * const keys = await inspectKeysOfFleet(fleet, schema)
 * createMonitor({ fleet, collectors: [...defaultCollectors, bucketSizes({ topology, schema, keys })] })
 */
export function bucketSizes(options: BucketSizesOptions): Collector {
  const { topology, schema, keys, sampleRows, everyMs } = parseOptions('The bucket sizes', shape, options)
  const tables = schema.tables.filter((table): table is ShardedTable => table.kind === 'sharded')
  const measured = new Map<string, Measured>()

  async function measure(connection: FleetConnection): Promise<readonly Sample[]> {
    const shard = connection.shardId
    const owned = bucketsOfShard(topology, shard)
    const buckets = new Map<number, Size>(owned.map((bucket) => [bucket, { rows: 0, bytes: 0 }]))
    await connection.query('set lock_timeout = 250')
    for (const table of tables) {
      const type = keys.byTable.get(table.name)
      if (type === undefined) continue
      for (const { bucket, rows, bytes } of await sampleTable(connection, table, type)) {
        // A pinned key is on a shard that need not own its bucket.
        const size = buckets.get(bucket) ?? { rows: 0, bytes: 0 }
        buckets.set(bucket, { rows: size.rows + rows, bytes: size.bytes + bytes })
      }
    }
    await connection.query('reset lock_timeout')
    const sizes = [...buckets.values()]
    const total = sizes.reduce((sum, { rows }) => sum + rows, 0)
    const largest = sizes.reduce((most, { rows }) => Math.max(most, rows), 0)
    return [
      ...[...buckets].flatMap(([bucket, { rows, bytes }]) => {
        const labels = { shard, bucket: String(bucket) }
        return [
          { metric: 'bucket_rows', labels, value: Math.round(rows) },
          { metric: 'bucket_bytes', labels, value: Math.round(bytes) },
        ]
      }),
      {
        metric: 'largest_bucket_ratio',
        labels: { shard },
        value: total === 0 ? undefined : largest / (total / buckets.size),
      },
    ]
  }

  async function sampleTable(connection: FleetConnection, table: ShardedTable, type: KeyType) {
    const name = `${quoted(table.schema)}.${quoted(table.table)}`
    const estimated = await connection.query<{ rows: number; view: boolean }>(rowsSql, [name])
    const { rows = 0, view = true } = estimated.rows[0] ?? {}
    // A view is what its tables hold already, and cannot be sampled.
    if (view) return []
    const percent = rows <= sampleRows ? 100 : (100 * sampleRows) / rows
    const found = await connection.query<{ key: string; rows: number; bytes: number }>(
      `select ${quoted(table.key)}::text as key, count(*)::float8 as rows, sum(pg_column_size(t.*))::float8 as bytes
       from ${name} t tablesample system (${percent}) group by 1`,
    )
    const seen = found.rows.reduce((sum, row) => sum + row.rows, 0)
    const scale = percent === 100 || seen === 0 ? 1 : rows / seen
    return found.rows.map((row) => ({
      bucket: bucketOf(topology.hash, type, row.key, topology.buckets),
      rows: row.rows * scale,
      bytes: row.bytes * scale,
    }))
  }

  return Object.freeze<Collector>({
    name: 'bucket-sizes',
    async collect(connection, _, nowMs) {
      const known = measured.get(connection.shardId)
      if (known && nowMs - known.atMs < everyMs) return known.samples
      const samples = await measure(connection)
      measured.set(connection.shardId, { atMs: nowMs, samples })
      return samples
    },
  })
}

// A table that was never analyzed is taken by its pages, about sixty rows each.
const rowsSql = `
  select sum(case when l.reltuples >= 0 and l.relpages > 0 then l.reltuples
      else pg_relation_size(l.oid) / current_setting('block_size')::float8 * 60 end)::float8 as rows,
    coalesce(bool_or(l.relkind = 'm' or l.relkind = 'v'), true) as view
  from pg_partition_tree($1::regclass) p join pg_class l on l.oid = p.relid where p.isleaf`

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
