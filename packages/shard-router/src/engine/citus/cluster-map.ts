import {
  type CitusMetadata,
  type CitusNode,
  type CitusTopology,
  type ColocationGroup,
  citusNodeServer,
  type Schema,
  type TopologyShard,
} from '@shardwright/core'
import type { ShardPlace } from '../../execute/route.ts'
import type { ShardList } from '../../pool/shard-list.ts'

export const coordinatorId = 'coordinator'
/** Its index among the servers. */
export const coordinator = 0

/** One reading of the metadata in the router's terms: nodes as servers, families as co-location groups. Immutable. */
export class ClusterMap {
  readonly metadata: CitusMetadata
  /** `metadataMarkSql` before the metadata was read. */
  readonly mark: string
  /** The coordinator, then every other node that can plan queries. */
  readonly servers: ShardList
  readonly nodes: readonly CitusNode[]
  readonly #families: ReadonlyMap<string, ColocationGroup>
  readonly #serverOfGroup: ReadonlyMap<number, number>
  readonly #latestPlacement: bigint
  /** False where Citus counts the statements of each key, which it does where it plans them. */
  readonly readsShards: boolean

  constructor(topology: CitusTopology, schema: Schema, metadata: CitusMetadata, mark: string, epoch: number) {
    this.metadata = metadata
    this.mark = mark
    this.#latestPlacement = BigInt(mark.split(':', 1)[0] || 0)
    this.readsShards = topology.shardReads && mark.endsWith(':none')
    this.nodes = Object.freeze(metadata.nodes.filter(plansQueries))
    this.servers = serversOf(topology, this.nodes, epoch)
    this.#serverOfGroup = new Map([
      [0, coordinator],
      ...this.nodes.map(({ groupId }, index): [number, number] => [groupId, index + 1]),
    ])
    this.#families = groupsOfFamilies(schema, metadata)
    Object.freeze(this)
  }

  /**
   * True when a node has a placement that was made after the metadata was read. Its newest may well be older than the
   * coordinator's: a move renews the placement there, and changes the node of the old one everywhere else.
   */
  isOlderThan(placement: string): boolean {
    return BigInt(placement) > this.#latestPlacement
  }

  /** The co-location group of a key family; `undefined` when its tables are not all of one. */
  groupOf(family: string): ColocationGroup | undefined {
    return this.#families.get(family)
  }

  /** The server that has a shard's rows; `undefined` when it cannot be asked past the coordinator. */
  serverOf({ group, ordinal }: ShardPlace): number | undefined {
    const groupIds = group.shards[ordinal]?.groupIds
    return groupIds?.length === 1 ? this.#serverOfGroup.get(groupIds[0] as number) : undefined
  }

  /** How many nodes have shards. */
  get width(): number {
    return Math.max(1, this.metadata.nodes.filter((node) => node.role === 'primary' && node.shouldHaveShards).length)
  }
}

function plansQueries(node: CitusNode): boolean {
  return node.groupId !== 0 && node.role === 'primary' && node.active && node.metadataSynced
}

function serversOf(topology: CitusTopology, nodes: readonly CitusNode[], epoch: number): ShardList {
  const replicas = Object.freeze([])
  const shards: TopologyShard[] = [
    { id: coordinatorId, primary: topology.coordinator, replicas },
    ...nodes.map((node) => ({ id: node.name, primary: citusNodeServer(topology, node), replicas })),
  ]
  return Object.freeze({ id: topology.id, epoch, shards: Object.freeze(shards.map((shard) => Object.freeze(shard))) })
}

/** Views have no metadata of their own: they are where their tables are. */
function groupsOfFamilies(schema: Schema, metadata: CitusMetadata): ReadonlyMap<string, ColocationGroup> {
  const groups = new Map<string, ColocationGroup>()
  for (const { name, tables } of schema.families.values()) {
    const found = tables.flatMap(({ schema: schemaName, table, key }) => {
      const known = metadata.find(table, schemaName)
      return known === undefined ? [] : [known.kind === 'distributed' && known.column === key ? known.colocationId : 0]
    })
    const [first] = found
    const group = first !== undefined && found.every((id) => id === first) ? metadata.groups.get(first) : undefined
    if (group) groups.set(name, group)
  }
  return groups
}
