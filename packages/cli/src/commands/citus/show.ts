import { readCitusMetadata } from '@shardwright/core'
import { onCoordinator } from '../../citus/coordinator.ts'
import { readNodes } from '../../citus/nodes.ts'
import { renderTable } from '../../output/table.ts'
import type { Command } from '../../run/command.ts'

/** `topology show` on a Citus cluster: nodes, and the co-location groups of the families. */
export const citusShow: Command = (context) =>
  onCoordinator(context, async ({ opened, topology, connection }) => {
    const metadata = await readCitusMetadata(connection)
    const nodes = (await readNodes(connection)).map(({ name, groupId, shards }) => ({ name, groupId, shards }))
    const families = [...opened.schema.families.values()].map(({ name, tables }) => {
      const found = tables.flatMap(({ table, schema }) => metadata.find(table, schema) ?? [])
      const groups = [...new Set(found.map((table) => table.colocationId))]
      const shards = groups.map((group) => metadata.groups.get(group)?.shards.length ?? 0)
      return { family: name, tables: tables.map((table) => table.name), groups, shards }
    })
    return {
      data: {
        id: topology.id,
        engine: 'citus',
        coordinator: topology.coordinator.address,
        version: metadata.version,
        nodes,
        families,
      },
      render: (width) =>
        [
          `topology '${topology.id}': Citus ${metadata.version}, coordinator ${topology.coordinator.address}`,
          '',
          renderTable(
            nodes,
            [
              { title: 'node', of: (node) => node.name, shrinks: true },
              { title: 'role', of: (node) => (node.groupId === 0 ? 'coordinator' : 'worker') },
              { title: 'shards', of: (node) => node.shards, align: 'right' },
            ],
            width,
          ),
          '',
          renderTable(
            families,
            [
              { title: 'family', of: (family) => family.family, shrinks: true },
              { title: 'group', of: (family) => family.groups.join(', '), align: 'right' },
              { title: 'shards', of: (family) => family.shards.join(', '), align: 'right' },
              { title: 'tables', of: (family) => family.tables.join(', '), shrinks: true },
            ],
            width,
          ),
        ].join('\n'),
    }
  })
