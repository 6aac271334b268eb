import type { FleetConnection } from '@shardwright/core'

/** What one look at a node tells. */
export interface NodeFacts {
  readonly version: string
  readonly citus: string
  readonly bytes: number
  readonly connections: number
  readonly maxConnections: number
  /** Prepared transactions that are older than Citus' own recovery lets them be. */
  readonly inDoubt: number
  /** Node clock minus the coordinator's, milliseconds; as exact as the slowest answer. */
  readonly skewMs: number
  readonly settings: Readonly<Record<string, string>>
}

/** Each of them is read on every node. */
const settings = [
  'fsync',
  'full_page_writes',
  'synchronous_commit',
  'autovacuum',
  'track_counts',
  'max_prepared_transactions',
  'wal_level',
  'output_plugin_libraries',
  'citus.recover_2pc_interval',
  'citus.stat_tenants_track',
]

const factsSql = `
select json_build_object(
  'version', current_setting('server_version'),
  'citus', (select extversion from pg_extension where extname = 'citus'),
  'bytes', pg_database_size(current_database()),
  'connections', (select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()),
  'maxConnections', current_setting('max_connections')::int,
  'inDoubt', (select count(*) from pg_prepared_xacts where database = current_database()
    and prepared < now() - greatest(interval '2 minutes', 2 * current_setting('citus.recover_2pc_interval')::interval)),
  'ms', extract(epoch from clock_timestamp()) * 1000,
  'settings', (select json_object_agg(name, setting) from pg_settings where name in (${settings.map((name) => `'${name}'`).join(', ')}))
)`

type RawFacts = Omit<NodeFacts, 'skewMs'> & { readonly ms: number }

/** By node id; a text is why the node could not be asked. */
export async function readNodeFacts(connection: FleetConnection): Promise<ReadonlyMap<number, NodeFacts | string>> {
  const { rows } = await connection.query<{ id: number; success: boolean; result: string; ms: number }>(
    `select nodeid as id, success, result, extract(epoch from clock_timestamp())::float8 * 1000 as ms
     from run_command_on_all_nodes($1, parallel := true, give_warning_for_connection_errors := true)`,
    [factsSql],
  )
  return new Map(
    rows.map(({ id, success, result, ms }): readonly [number, NodeFacts | string] => {
      if (!success) return [id, result]
      const { ms: own, ...facts } = JSON.parse(result) as RawFacts
      return [id, { ...facts, skewMs: own - ms }]
    }),
  )
}
