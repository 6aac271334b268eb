import { onCoordinator } from '../../citus/coordinator.ts'
import { type ClusterNode, parseNodeName, readNodes, requireNode } from '../../citus/nodes.ts'
import { formatBytes } from '../../output/bytes.ts'
import { renderTable } from '../../output/table.ts'
import { wrap } from '../../output/wrap.ts'
import type { Command } from '../../run/command.ts'

interface NodeOption {
  readonly node: string
}

export const nodesList: Command = (context) =>
  onCoordinator(context, async ({ connection }) => {
    const nodes = await readNodes(connection)
    return { data: nodes, render: (width) => renderNodes(nodes, width) }
  })

/** Makes an empty server with the extension part of the cluster; it gets reference tables at once, shards by a rebalance. */
export const nodesAdd: Command<NodeOption> = (context, { node }) =>
  onCoordinator(context, async ({ connection }) => {
    const { host, port } = parseNodeName(node)
    await context.confirm(`Add ${node} to the cluster?`)
    const { rows } = await connection.query<{ id: number }>('select citus_add_node($1, $2) as id', [host, port])
    const data = { node, nodeId: rows[0]?.id }
    return {
      data,
      render: (width) =>
        wrap(`${node} is node ${data.nodeId}. Shards come to it by \`shardwright citus rebalance start\`.`, width),
    }
  })

/** Takes a node without shards out of the cluster; its server goes on running. */
export const nodesRemove: Command<NodeOption> = (context, { node }) =>
  onCoordinator(context, async ({ connection }) => {
    const { host, port, shards } = await requireNode(connection, node)
    await context.confirm(
      `Remove ${node} from the cluster?${shards > 0 ? ` It has ${shards} shards: Citus will refuse.` : ''}`,
    )
    await connection.query('select citus_remove_node($1, $2)', [host, port])
    return { data: { node, removed: true }, render: () => `${node} is not part of the cluster any more.` }
  })

/** Says whether a node may be given shards; those that it has stay until a rebalance. */
export const nodesSet: Command<NodeOption & { readonly shards: 'on' | 'off' }> = (context, { node, shards }) =>
  onCoordinator(context, async ({ connection }) => {
    const { host, port } = await requireNode(connection, node)
    await setShouldHaveShards(connection, { host, port }, shards === 'on')
    return { data: { node, shouldHaveShards: shards === 'on' }, render: () => `${node} takes shards: ${shards}.` }
  })

export async function setShouldHaveShards(
  connection: { query(sql: string, parameters: readonly unknown[]): Promise<unknown> },
  { host, port }: Pick<ClusterNode, 'host' | 'port'>,
  value: boolean,
): Promise<void> {
  await connection.query(`select citus_set_node_property($1, $2, 'shouldhaveshards', $3)`, [host, port, value])
}

export function stateOf(node: Pick<ClusterNode, 'active' | 'metadataSynced' | 'shouldHaveShards'>): string {
  if (!node.active) return 'inactive'
  return `${node.metadataSynced ? 'synced' : 'not synced'}${node.shouldHaveShards ? '' : ', no shards'}`
}

function renderNodes(nodes: readonly ClusterNode[], width: number): string {
  return renderTable(
    nodes,
    [
      { title: 'node', of: (node) => node.name, shrinks: true },
      { title: 'group', of: (node) => node.groupId, align: 'right' },
      { title: 'role', of: (node) => (node.groupId === 0 ? 'coordinator' : node.role) },
      { title: 'state', of: stateOf },
      { title: 'shards', of: (node) => node.shards, align: 'right' },
      { title: 'size', of: (node) => formatBytes(node.shardBytes), align: 'right' },
    ],
    width,
  )
}
