import type { FleetConnection } from '@shardwright/core'
import { CliError } from '../errors/cli-error.ts'

/** A node of the cluster, and what it holds. */
export interface ClusterNode {
  readonly nodeId: number
  readonly groupId: number
  /** `host:port`, as the nodes call one another. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly role: string
  readonly active: boolean
  readonly metadataSynced: boolean
  readonly shouldHaveShards: boolean
  /** Shards of distributed tables, partitions included. */
  readonly shards: number
  /** Their size, with the copies of reference tables. */
  readonly shardBytes: number
}

const nodesSql = `
with placed as (
  select p.groupid, count(*) filter (where t.partmethod = 'h')::int as shards, coalesce(sum(z.size), 0)::float8 as bytes
  from pg_dist_placement p
  join pg_dist_shard s on s.shardid = p.shardid
  join pg_dist_partition t on t.logicalrelid = s.logicalrelid
  left join citus_shard_sizes() z on z.shard_id = s.shardid
  group by p.groupid)
select n.nodeid as "nodeId", n.groupid as "groupId", n.nodename || ':' || n.nodeport as name, n.nodename as host,
  n.nodeport as port, n.noderole::text as role, n.isactive as active, n.hasmetadata and n.metadatasynced as "metadataSynced",
  n.shouldhaveshards as "shouldHaveShards",
  case when n.noderole = 'primary' then coalesce(p.shards, 0) else 0 end as shards,
  case when n.noderole = 'primary' then coalesce(p.bytes, 0) else 0 end as "shardBytes"
from pg_dist_node n left join placed p on p.groupid = n.groupid
order by n.groupid, n.noderole, n.nodeid`

/** By group: the coordinator first. */
export async function readNodes(connection: FleetConnection): Promise<readonly ClusterNode[]> {
  return (await connection.query<ClusterNode>(nodesSql)).rows
}

/** Host and port of `host:port`. @throws CliError USAGE */
export function parseNodeName(text: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  if (host !== undefined && port !== undefined) return { host, port: Number(port) }
  throw new CliError({
    code: 'USAGE',
    message: `${JSON.stringify(text)} is not a node.`,
    hint: 'Write host:port, as the nodes call one another: worker-3:5432.',
  })
}

/** The node of that name. @throws CliError USAGE */
export async function requireNode(connection: FleetConnection, text: string): Promise<ClusterNode> {
  const { host, port } = parseNodeName(text)
  const nodes = await readNodes(connection)
  const found = nodes.find((node) => node.host === host && node.port === port)
  if (found) return found
  throw new CliError({
    code: 'USAGE',
    message: `The cluster has no node ${text}.`,
    hint: `Its nodes are ${nodes.map((node) => node.name).join(', ')}.`,
  })
}
