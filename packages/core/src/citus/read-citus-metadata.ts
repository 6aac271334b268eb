import { z } from 'zod'
import { TopologyError } from '../errors/topology-error.ts'
import type { FleetConnection } from '../ports/fleet.ts'
import { FrozenMap } from '../schema/frozen-map.ts'
import type { CitusMetadata, CitusNode, CitusTable, ColocationGroup } from './citus-metadata.ts'
import { citusMetadataSql } from './citus-metadata-sql.ts'

const metadataShape = z.object({
  version: z.string(),
  nodes: z.array(
    z.object({
      nodeId: z.number(),
      groupId: z.number(),
      host: z.string(),
      port: z.number(),
      role: z.enum(['primary', 'secondary', 'unavailable']),
      cluster: z.string(),
      active: z.boolean(),
      metadataSynced: z.boolean(),
      shouldHaveShards: z.boolean(),
    }),
  ),
  tables: z.array(
    z.object({
      schema: z.string(),
      table: z.string(),
      method: z.string(),
      column: z.string().nullable(),
      columnType: z.string().nullable(),
      colocationId: z.number(),
      replicationModel: z.string(),
      isPartition: z.boolean(),
    }),
  ),
  groups: z.array(
    z.object({
      colocationId: z.number(),
      replicationFactor: z.number(),
      shards: z.array(
        z.object({ min: z.number().nullable(), max: z.number().nullable(), groupIds: z.array(z.number()) }),
      ),
    }),
  ),
})

type RawMetadata = z.infer<typeof metadataShape>

/**
 * Reads nodes, tables and shard ranges from Citus' metadata, on the coordinator or on any node with metadata.
 * @throws TopologyError CITUS_NOT_INSTALLED
 * @example
 * await using connection = await fleet.shards[0].connect()
 * const metadata = await readCitusMetadata(connection)
 */
export async function readCitusMetadata(connection: Pick<FleetConnection, 'query'>): Promise<CitusMetadata> {
  const { rows: found } = await connection.query<{ installed: boolean }>(
    "select exists (select from pg_catalog.pg_extension where extname = 'citus') as installed",
  )
  if (found[0]?.installed !== true) {
    throw new TopologyError({
      code: 'CITUS_NOT_INSTALLED',
      message: "The coordinator's database does not have the extension 'citus'.",
      hint: 'CREATE EXTENSION citus in this database on every node, or name another coordinator.',
    })
  }
  const { rows } = await connection.query<{ metadata: unknown }>(citusMetadataSql)
  const { metadata } = rows[0]!
  return citusMetadataOf(metadataShape.parse(typeof metadata === 'string' ? JSON.parse(metadata) : metadata))
}

function citusMetadataOf(raw: RawMetadata): CitusMetadata {
  const tables = Object.freeze(raw.tables.map(tableOf))
  const byName = new Map(tables.map((table) => [nameOf(table.table, table.schema), table]))
  return Object.freeze({
    version: raw.version,
    nodes: Object.freeze(raw.nodes.flatMap(nodeOf)),
    tables,
    groups: new FrozenMap(raw.groups.map((group) => [group.colocationId, groupOf(group)] as const)),
    find: (table: string, schema: string) => byName.get(nameOf(table, schema)),
  })
}

function nameOf(table: string, schema: string): string {
  return JSON.stringify([schema, table])
}

function nodeOf({ host, port, role, ...rest }: RawMetadata['nodes'][number]): CitusNode[] {
  if (role === 'unavailable') return []
  return [Object.freeze({ ...rest, role, host, port, name: `${host}:${port}` })]
}

function tableOf({ method, column, columnType, ...rest }: RawMetadata['tables'][number]): CitusTable {
  const kind = kindOf(method, rest.replicationModel, rest.colocationId)
  return Object.freeze({ ...rest, kind, column: column ?? undefined, columnType: columnType ?? undefined })
}

function kindOf(method: string, replicationModel: string, colocationId: number): CitusTable['kind'] {
  if (method === 'h') return 'distributed'
  if (method !== 'n') return 'other'
  if (replicationModel === 't') return 'reference'
  return colocationId === 0 ? 'local' : 'single-shard'
}

function groupOf({ shards, ...rest }: RawMetadata['groups'][number]): ColocationGroup {
  return Object.freeze({
    ...rest,
    shards: Object.freeze(
      shards.map(({ min, max, groupIds }) =>
        Object.freeze({ min: min ?? undefined, max: max ?? undefined, groupIds: Object.freeze(groupIds) }),
      ),
    ),
  })
}
