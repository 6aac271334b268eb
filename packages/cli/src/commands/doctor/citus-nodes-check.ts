import type { FleetConnection } from '@shardwright/core'
import { type NodeFacts, readNodeFacts } from '../../citus/node-facts.ts'
import { type ClusterNode, readNodes } from '../../citus/nodes.ts'
import { readRebalance } from '../../citus/rebalance.ts'
import { type Check, onEveryShard, type Symptom } from './check.ts'

/** Nodes that are down, behind in their metadata, of other versions, off in their clocks; what crashes and moves left. */
export const citusNodesCheck: Check = {
  name: 'nodes',
  run: (patient) =>
    onEveryShard(patient, 'nodes', async (connection) => {
      const nodes = await readNodes(connection)
      const facts = await readNodeFacts(connection)
      const own = facts.get(nodes.find((node) => node.groupId === 0)?.nodeId ?? -1)
      const primary = typeof own === 'object' ? own : undefined
      return [
        ...nodes.flatMap((node) => symptomsOf(node, facts.get(node.nodeId), primary)),
        ...(await clusterSymptoms(connection, nodes)),
      ]
    }),
}

type Finding = readonly [severity: Symptom['severity'], message: string, remedy: string]

function symptomsOf(
  node: ClusterNode,
  facts: NodeFacts | string | undefined,
  primary: NodeFacts | undefined,
): readonly Symptom[] {
  return findingsOf(node, facts, primary).map(([severity, message, remedy]) => ({
    check: 'nodes',
    severity,
    shard: node.name,
    message,
    remedy,
  }))
}

function findingsOf(
  node: ClusterNode,
  facts: NodeFacts | string | undefined,
  primary: NodeFacts | undefined,
): readonly Finding[] {
  const activate = `select citus_activate_node('${node.host}', ${node.port})`
  if (!node.active) return [['error', 'the node is not active: it takes no statements', activate]]
  if (typeof facts === 'string') return [['error', `the node does not answer: ${facts}`, 'Bring its server back.']]
  const found: Finding[] = []
  if (!node.metadataSynced)
    found.push(['error', 'the node has not the metadata of the cluster: it is not asked directly', activate])
  if (!facts) return found
  if (primary && facts.citus !== primary.citus) {
    const versions = `it has Citus ${facts.citus}, the coordinator ${primary.citus}`
    found.push(['error', versions, 'ALTER EXTENSION citus UPDATE on every node, with the same packages.'])
  }
  if (Math.abs(facts.skewMs) > 500) {
    const off = `its clock is ${Math.round(facts.skewMs)} ms off the coordinator's`
    found.push(['warning', off, 'Let all follow the same NTP servers.'])
  }
  if (facts.connections > 0.8 * facts.maxConnections) {
    const taken = `${facts.connections} of ${facts.maxConnections} connections are taken`
    found.push(['warning', taken, 'Lower the pools, or citus.max_adaptive_executor_pool_size.'])
  }
  if (facts.inDoubt > 0) {
    const doubt = `${facts.inDoubt} prepared transactions wait for their end and hold their locks`
    found.push(['error', doubt, 'shardwright transactions recover'])
  }
  return found
}

async function clusterSymptoms(
  connection: FleetConnection,
  nodes: readonly ClusterNode[],
): Promise<readonly Symptom[]> {
  const at = { check: 'nodes' }
  const { rows } = await connection.query<{ installed: string; loaded: string; orphans: number }>(
    `select extversion as installed, regexp_replace(citus_version(), '^Citus ([0-9]+[.][0-9]+).*', '\\1') as loaded,
       (select count(*)::int from pg_dist_cleanup) as orphans from pg_extension where extname = 'citus'`,
  )
  const { installed, loaded, orphans } = rows[0]!
  const job = await readRebalance(connection)
  return [
    ...(installed.startsWith(`${loaded}-`)
      ? []
      : [
          {
            ...at,
            severity: 'error' as const,
            message: `the extension is ${installed}, the loaded library ${loaded}`,
            remedy: 'ALTER EXTENSION citus UPDATE on every node.',
          },
        ]),
    ...(nodes.some((node) => node.groupId === 0)
      ? []
      : [
          {
            ...at,
            severity: 'error' as const,
            message: 'the coordinator does not know its own address: workers cannot reach it',
            remedy: "select citus_set_coordinator_host('<host>', <port>)",
          },
        ]),
    ...(nodes.some((node) => node.shouldHaveShards && node.active)
      ? []
      : [
          {
            ...at,
            severity: 'error' as const,
            message: 'no node may have shards: no table can be distributed',
            remedy: 'shardwright citus nodes add <host:port>, or nodes set <host:port> --shards on',
          },
        ]),
    ...(orphans > 100
      ? [
          {
            ...at,
            severity: 'advice' as const,
            message: `${orphans} leftovers of moved or failed shards wait to be removed`,
            remedy: 'call citus_cleanup_orphaned_resources()',
          },
        ]
      : []),
    ...(job?.state === 'failed'
      ? [
          {
            ...at,
            severity: 'warning' as const,
            message: `rebalance job ${job.jobId} has failed`,
            remedy: 'shardwright citus rebalance status, then start',
          },
        ]
      : []),
  ]
}
