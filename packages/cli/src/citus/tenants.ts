import type { FleetConnection } from '@shardwright/core'

/** A key that had many statements lately, as `citus_stat_tenants` counts them on the nodes. */
export interface Tenant {
  readonly key: string
  readonly colocationId: number
  readonly node: string
  readonly queriesNow: number
  readonly queriesBefore: number
  readonly readsNow: number
  readonly cpuSecondsNow: number
  readonly cpuSecondsBefore: number
}

/** The busiest keys first. */
export async function readTenants(connection: FleetConnection, limit: number): Promise<readonly Tenant[]> {
  const { rows } = await connection.query<Tenant>(
    `select tenant_attribute as key, t.colocation_id as "colocationId", n.nodename || ':' || n.nodeport as node,
       query_count_in_this_period as "queriesNow", query_count_in_last_period as "queriesBefore",
       read_count_in_this_period as "readsNow", cpu_usage_in_this_period as "cpuSecondsNow",
       cpu_usage_in_last_period as "cpuSecondsBefore"
     from citus_stat_tenants(true) t join pg_dist_node n on n.nodeid = t.nodeid
     order by query_count_in_this_period + query_count_in_last_period desc, t.score desc, 1 limit $1`,
    [limit],
  )
  return rows
}
