import { resolveServer } from '../topology/resolve-server.ts'
import { splitHosts } from '../topology/server-hosts.ts'
import type { TopologyServer } from '../topology/topology.ts'
import type { CitusNode } from './citus-metadata.ts'
import type { CitusTopology } from './citus-topology.ts'

/**
 * How a node of the cluster is reached: as the topology says, else by the coordinator's URL (past its pooler) with the
 * node's host and port. The coordinator itself is reached by its own URL.
 * @example
 * citusNodeServer(topology, metadata.nodes[1]!).address // 'worker-1:5432/app'
 */
export function citusNodeServer(
  topology: CitusTopology,
  node: Pick<CitusNode, 'groupId' | 'role' | 'host' | 'port'>,
): TopologyServer {
  const name = `${node.host}:${node.port}`
  const named = topology.nodes.get(name)
  if (named !== undefined) return named
  const { coordinator } = topology
  if (node.groupId === 0 && node.role === 'primary') return coordinator
  const url = withHost(splitHosts(coordinator.directUrl)[0]!, node.host, node.port)
  return resolveServer({ url, preparedStatements: coordinator.preparedStatements }, `node '${name}'`)
}

function withHost(text: string, host: string, port: number): string {
  // A socket folder in the parameters would win over the host.
  const url = new URL(text)
  url.searchParams.delete('host')
  url.searchParams.delete('port')
  const search = url.search
  const database = url.pathname
  const login = url.username === '' ? '' : url.password === '' ? `${url.username}@` : `${url.username}:${url.password}@`
  const shownHost = host.includes(':') ? `[${host}]` : host
  return `${url.protocol}//${login}${shownHost}:${port}${database}${search}`
}
