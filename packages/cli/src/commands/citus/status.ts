import { inspectCitusTables } from '@shardwright/core'
import { onCoordinator } from '../../citus/coordinator.ts'
import { type NodeFacts, readNodeFacts } from '../../citus/node-facts.ts'
import { type ClusterNode, readNodes } from '../../citus/nodes.ts'
import { readRebalance } from '../../citus/rebalance.ts'
import { movesDone } from '../../citus/watch-rebalance.ts'
import { formatBytes } from '../../output/bytes.ts'
import { exitCode } from '../../output/exit-code.ts'
import { renderTable } from '../../output/table.ts'
import { wrap } from '../../output/wrap.ts'
import type { Command } from '../../run/command.ts'
import { migratorOf } from '../migrate.ts'
import { differenceText } from './check.ts'
import { stateOf } from './nodes.ts'

type NodeLine = ClusterNode & { readonly facts: NodeFacts | undefined; readonly error: string | undefined }

/** `status` on a Citus cluster: nodes, tables and migrations on one screen. */
export const citusStatus: Command = (context) =>
  onCoordinator(context, async ({ opened, topology, connection }) => {
    const migrations = await migratorOf(opened).status()
    const facts = await readNodeFacts(connection)
    const nodes = (await readNodes(connection)).map((node): NodeLine => {
      const found = facts.get(node.nodeId)
      return {
        ...node,
        ...(typeof found === 'string' ? { facts: undefined, error: found } : { facts: found, error: undefined }),
      }
    })
    const differences = await inspectCitusTables(connection, opened.schema)
    const { rows } = await connection.query<{ version: string; transactions: number; cleanup: number }>(
      `select (select extversion from pg_extension where extname = 'citus') as version,
         (select count(*)::int from pg_dist_transaction) as transactions, (select count(*)::int from pg_dist_cleanup) as cleanup`,
    )
    const cluster = rows[0]!
    const rebalance = await readRebalance(connection)
    const healthy =
      migrations.complete &&
      differences.length === 0 &&
      nodes.every((node) => node.active && node.metadataSynced && node.facts?.inDoubt === 0)
    const applied = migrations.migrations.length - (migrations.shards[0]?.pending ?? 0)
    const lines = [
      `${topology.id}: Citus ${cluster.version}, coordinator ${topology.coordinator.address}`,
      `migrations ${applied} of ${migrations.migrations.length}, tables ${opened.schema.tables.length} (${differences.length} not as the schema says), commit records ${cluster.transactions}, to clean up ${cluster.cleanup}`,
      ...(rebalance ? [`rebalance ${rebalance.jobId} ${rebalance.state}: ${movesDone(rebalance)}`] : []),
    ]
    return {
      data: {
        topology: topology.id,
        engine: 'citus',
        ...cluster,
        migrations: migrations.migrations.length,
        applied,
        nodes,
        differences,
        rebalance: rebalance ?? null,
        healthy,
      },
      exitCode: healthy ? exitCode.ok : exitCode.found,
      render: (width) =>
        [
          ...lines.map((line) => wrap(line, width, '  ')),
          '',
          renderNodes(nodes, width),
          ...(differences.length > 0
            ? ['', ...differences.map((difference) => wrap(differenceText(difference), width, '  '))]
            : []),
          ...nodes.flatMap((node) =>
            node.error === undefined ? [] : ['', wrap(`${node.name}: ${node.error}`, width, '  ')],
          ),
        ].join('\n'),
    }
  })

function renderNodes(nodes: readonly NodeLine[], width: number): string {
  return renderTable(
    nodes,
    [
      { title: 'node', of: (node) => node.name, shrinks: true },
      { title: 'role', of: (node) => (node.groupId === 0 ? 'coordinator' : node.role) },
      { title: 'state', of: (node) => (node.error === undefined ? stateOf(node) : 'down') },
      { title: 'version', of: (node) => node.facts?.version.split(' ')[0] },
      { title: 'size', of: (node) => node.facts && formatBytes(node.facts.bytes), align: 'right' },
      { title: 'shards', of: (node) => node.shards, align: 'right' },
      {
        title: 'conn',
        of: (node) => node.facts && `${node.facts.connections}/${node.facts.maxConnections}`,
        align: 'right',
      },
      { title: 'doubt', of: (node) => node.facts?.inDoubt, align: 'right' },
    ],
    width,
  )
}
