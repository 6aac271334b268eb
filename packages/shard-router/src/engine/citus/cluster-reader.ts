import {
  type CitusMetadata,
  type CitusNode,
  type CitusTopology,
  type FleetConnection,
  readCitusMetadata,
  type Schema,
} from '@shardwright/core'
import { poolError } from '../../pool/pool-error.ts'
import type { AnyShardPool, Statement } from '../../pool/shard-pool.ts'
import { ClusterMap, coordinator } from './cluster-map.ts'
import { metadataMarkSql } from './metadata-mark.ts'
import type { NodeHealth } from './node-health.ts'

/** Reads the metadata through the router's own pool. */
export class ClusterReader {
  readonly #topology: CitusTopology
  readonly #schema: Schema
  readonly #health: NodeHealth

  constructor(topology: CitusTopology, schema: Schema, health: NodeHealth) {
    this.#topology = topology
    this.#schema = schema
    this.#health = health
  }

  async mark(pool: AnyShardPool): Promise<string> {
    const { rows } = await coordinatorOf(pool).query<{ mark: string }>(metadataMarkSql)
    return rows[0]?.mark ?? ''
  }

  /** The mark first: what changes while the metadata is read is then seen by the next look at it. */
  async read(pool: AnyShardPool): Promise<ClusterMap> {
    const mark = await this.mark(pool)
    const metadata = await readCitusMetadata(coordinatorOf(pool))
    return this.mapOf(metadata, mark, pool.topology.epoch)
  }

  mapOf(metadata: CitusMetadata, mark: string, epoch: number): ClusterMap {
    return new ClusterMap(this.#topology, this.#schema, metadata, mark, epoch)
  }

  /**
   * Looks at the nodes that are not asked directly yet: those that answer and are what the metadata says will be.
   * @throws ConnectionError WRONG_SHARD when one is another node
   */
  async probe(map: ClusterMap, pool: AnyShardPool): Promise<void> {
    await Promise.all(
      map.nodes.map(async (node, index) => {
        if (this.#health.isDirect(node.name)) return
        try {
          checkNode(node, await askNode(pool, index + 1), map)
          this.#health.reached(node.name)
        } catch (error) {
          this.#health.lost(node.name, error)
          if ((error as { code?: unknown }).code === 'WRONG_SHARD') throw error
        }
      }),
    )
  }
}

/** The coordinator as a connection that answers queries, for what core reads from one. */
export function coordinatorOf(pool: AnyShardPool): Pick<FleetConnection, 'query'> {
  return {
    query: async <R>(sql: string, parameters: readonly unknown[] = []) => {
      const { command, rowCount, rows, fields } = await pool.execute(coordinator, factsOf(sql, parameters))
      return { command, rowCount, rows: rows as R[], fields }
    },
  }
}

interface NodeFacts {
  readonly group: number
  readonly nodes: string
}

const nodeSql = `
select (select groupid from pg_catalog.pg_dist_local_group) as "group",
  (select string_agg(concat_ws(':', nodeid, groupid, nodename, nodeport), ', ' order by nodeid) from pg_catalog.pg_dist_node) as nodes`

async function askNode(pool: AnyShardPool, server: number): Promise<NodeFacts> {
  const { rows } = await pool.execute(server, factsOf(nodeSql, []))
  return rows[0] as NodeFacts
}

function factsOf(sql: string, parameters: readonly unknown[]): Statement {
  return { sql, parameters, access: 'write', rows: 'facts' }
}

/** A node of another cluster would answer from other data. */
function checkNode(node: CitusNode, found: NodeFacts, map: ClusterMap): void {
  const nodes = [...map.metadata.nodes]
    .sort((a, b) => a.nodeId - b.nodeId)
    .map(({ nodeId, groupId, host, port }) => `${nodeId}:${groupId}:${host}:${port}`)
    .join(', ')
  if (found.group === node.groupId && found.nodes === nodes) return
  throw poolError(
    'WRONG_SHARD',
    `The server that should be Citus node ${node.name} (group ${node.groupId}) is group ${found.group} of the cluster ${found.nodes}.`,
    { shard: node.name, hint: 'Correct `nodes` of the topology.', details: { sent: false } },
  )
}
