import type { FleetShard } from '@shardwright/core'

/** What one look at a primary tells. */
export interface ServerFacts {
  readonly version: string
  readonly bytes: number
  /** To this database, without our own. */
  readonly connections: number
  /** To all databases of the server: they share `maxConnections`. */
  readonly serverConnections: number
  readonly maxConnections: number
  readonly replicas: readonly {
    readonly name: string
    readonly state: string
    readonly lagBytes: number | null
    readonly lagMs: number | null
  }[]
  readonly partitions: number
  readonly inDoubt: number
  /** Server clock minus ours, milliseconds; as exact as half a round trip. */
  readonly skewMs: number
}

export async function readServerFacts(shard: FleetShard): Promise<ServerFacts> {
  await using connection = await shard.connect({ applicationName: 'shardwright-status' })
  const before = Date.now()
  const clock = await connection.query<{ ms: number }>(
    'select extract(epoch from clock_timestamp())::float8 * 1000 as ms',
  )
  const after = Date.now()
  const { rows } = await connection.query<Omit<ServerFacts, 'replicas' | 'skewMs'>>(`
    select current_setting('server_version') as version, pg_database_size(current_database())::float8 as bytes,
      (select count(*)::int from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()) as connections,
      (select count(*)::int from pg_stat_activity where datid is not null and pid <> pg_backend_pid()) as "serverConnections",
      current_setting('max_connections')::int as "maxConnections",
      (select count(*)::int from pg_class where relispartition and relkind = 'r') as partitions,
      (select count(*)::int from pg_prepared_xacts where database = current_database()) as "inDoubt"`)
  const replicas = await connection.query<ServerFacts['replicas'][number]>(`
    select coalesce(nullif(application_name, ''), host(client_addr)) as name, state,
      pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8 as "lagBytes", extract(epoch from replay_lag)::float8 * 1000 as "lagMs"
    from pg_stat_replication where not pg_is_in_recovery() order by 1`)
  return { ...rows[0]!, replicas: replicas.rows, skewMs: (clock.rows[0]?.ms ?? 0) - (before + after) / 2 }
}
