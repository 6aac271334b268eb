import type { Fleet, FleetConnection, Topology } from '@shardwright/core'
import type { MonitorRound } from '../../monitor.ts'
import type { Advice } from '../advice.ts'
import type { SystemFacts } from './system-facts.ts'

export interface SystemFactsInput {
  readonly fleet: Fleet
  readonly topology: Topology
  /** A round of the monitor, not its first: rates need two. */
  readonly round: Pick<MonitorRound, 'samples'>
  readonly advice: readonly Advice[]
  /** Whether the processes have a cache; a round with their telemetry knows by itself. */
  readonly ownCache?: boolean | undefined
}

interface ShardRow {
  readonly citus: boolean
  readonly partitioned: number
  readonly read: number
  readonly written: number
  readonly largest: string | null
  readonly largest_bytes: number | null
}

/** Puts together what `standingOf` judges; shards that do not answer are left out. */
export async function readSystemFacts(input: SystemFactsInput): Promise<SystemFacts> {
  const { fleet, topology, round, advice } = input
  const read = await Promise.all(
    fleet.shards.map(async (shard) => {
      try {
        await using connection = await shard.connect({ applicationName: 'shardwright advisor' })
        return await readShard(connection)
      } catch {
        // `up` of the round says so.
        return undefined
      }
    }),
  )
  const rows = read.filter((row) => row !== undefined)
  const worst = (metric: string, pick: (...values: number[]) => number) => {
    const values = round.samples.flatMap((sample) => (sample.metric === metric ? (sample.value ?? []) : []))
    return values.length === 0 ? undefined : pick(...values)
  }
  const sum = (of: (row: ShardRow) => number) => rows.reduce((total, row) => total + of(row), 0)
  const touched = sum(({ read: rowsRead, written }) => rowsRead + written)
  const largest = rows.toSorted((a, b) => (b.largest_bytes ?? 0) - (a.largest_bytes ?? 0))[0]
  const statements = round.samples.reduce(
    (total, { metric, value }) => total + (metric === 'statements_per_second' ? (value ?? 0) : 0),
    0,
  )
  const scatters = worst('scatters_per_second', Math.max)
  const ownHits = worst('own_cache_hit_ratio', Math.max)
  return Object.freeze({
    shards: topology.shards.length,
    replicas: topology.shards.reduce((total, shard) => total + shard.replicas.length, 0),
    pooler: topology.shards.some(({ primary }) => primary.pooler !== 'direct'),
    citus: rows.some(({ citus }) => citus),
    ownCache: input.ownCache ?? (ownHits === undefined ? undefined : true),
    partitionedTables: Math.max(0, ...rows.map(({ partitioned }) => partitioned)),
    missingIndexes: advice.filter(
      ({ topic, message }) => topic === 'indexes' && /has no index|is read whole/.test(message),
    ).length,
    connectionsRatio: worst('connections_ratio', Math.max),
    cpuRatio: worst('cpu_ratio', Math.max),
    readRatio: touched > 0 ? sum((row) => row.read) / touched : undefined,
    cacheHitRatio: worst('cache_hit_ratio', Math.min),
    largestTable: largest?.largest ? { name: largest.largest, bytes: largest.largest_bytes ?? 0 } : undefined,
    largestShardBytes: worst('database_bytes', Math.max),
    scatterRatio: scatters === undefined || statements === 0 ? undefined : scatters / statements,
  })
}

async function readShard(connection: FleetConnection): Promise<ShardRow | undefined> {
  const { rows } = await connection.query<ShardRow>(`
    select exists (select from pg_extension where extname = 'citus') as citus,
      (select count(*)::int from pg_class where relkind = 'p' and not relispartition) as partitioned,
      (select tup_fetched::float8 from pg_stat_database where datname = current_database()) as read,
      (select (tup_inserted + tup_updated + tup_deleted)::float8 from pg_stat_database where datname = current_database()) as written,
      t.name as largest, t.bytes as largest_bytes
    from (select) one left join lateral (
      select c.oid::regclass::text as name, c.relpages::float8 * current_setting('block_size')::int as bytes
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema', 'shardwright')
      order by c.relpages desc limit 1
    ) t on true`)
  return rows[0]
}
