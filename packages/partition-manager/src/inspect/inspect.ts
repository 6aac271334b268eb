import { createHash } from 'node:crypto'
import type { FleetConnection } from '@shardwright/core'
import { PartitionError } from '../errors/partition-error.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { parseBound } from './bound.ts'
import type { CatalogState, ParentTable, PartitionJob, PartitionState } from './catalog-state.ts'
import { distributedBytes, distributionOf } from './distribution.ts'
import { inspectDefault } from './inspect-default.ts'
import { inspectIndexes } from './inspect-indexes.ts'
import { parseJobDetail } from './job-detail.ts'
import { type ParentRow, parentQuery, type ServerRow, serverQuery } from './parent-query.ts'
import {
  columnarObstacleQuery,
  incomingForeignKeyQuery,
  type JobRow,
  jobQuery,
  outgoingForeignKeyQuery,
  type PartitionRow,
  partitionQuery,
  takenNameQuery,
} from './partition-query.ts'
import { sessionSettings } from './session-settings.ts'

/**
 * Reads from the catalog of one shard what a plan needs: bounds, pending detaches, sizes, rows in DEFAULT, indexes and
 * unfinished jobs. Changes nothing but the connection's settings (TimeZone, DateStyle, search_path).
 * @throws PartitionError PARTITION_TABLE_NOT_FOUND, PARTITION_TABLE_NOT_PARTITIONED, PARTITION_KEY_MISMATCH,
 * PARTITION_BOUND_UNREADABLE, PARTITION_SERVER_VERSION
 * @example
 * await using connection = await shard.connect()
 * const state = await inspectPartitions(connection, transactions)
 */
export async function inspectPartitions(connection: FleetConnection, policy: PartitionPolicy): Promise<CatalogState> {
  await connection.script(sessionSettings)
  const server = (await connection.query<ServerRow>(serverQuery)).rows[0] as ServerRow
  if (server.version < 140_000) throw tooOld(server.version)
  const parentRow = (await connection.query<ParentRow>(parentQuery, [policy.schema, policy.table])).rows[0]
  const row = checkParent(parentRow, policy, connection.shardId)
  const parent = await parentOf(connection, row, policy, server)
  const rows = (await connection.query<PartitionRow>(partitionQuery, [row.oid])).rows
  const bytes = parent.distributed ? await distributedBytes(connection, row.oid) : undefined
  const partitions = rangesOf(rows, policy, bytes)
  const now = BigInt(server.now)
  const defaultRow = rows.find((partition) => partition.bound === 'DEFAULT' && !partition.detach_pending)
  const state = {
    shard: connection.shardId,
    serverTime: now,
    serverVersion: server.version,
    standby: server.standby,
    parent,
    partitions,
    defaultPartition: defaultRow && (await inspectDefault(connection, defaultRow, partitions, policy, now)),
    indexes: await inspectIndexes(connection, row.oid, rows),
    incomingForeignKeys: await namesOf(connection, incomingForeignKeyQuery, [row.oid]),
    columnarObstacles: policy.columnar ? await namesOf(connection, columnarObstacleQuery, [row.oid]) : [],
    columnar: server.has_columnar,
    outgoingForeignKeys: await namesOf(connection, outgoingForeignKeyQuery, [row.oid]),
    jobs: server.has_journal ? await jobsOf(connection, row.oid) : [],
    takenNames: new Set(await namesOf(connection, takenNameQuery, [policy.schema, beginning(policy.table)])),
    analyzedAt: row.analyzed_at === null ? undefined : BigInt(row.analyzed_at),
  }
  return Object.freeze({ ...state, fingerprint: fingerprintOf(state, row.shape) })
}

/** Of four characters, in whatever script, each name that `fitName` makes keeps all. */
function beginning(table: string): string {
  return [...table].slice(0, 4).join('')
}

function checkParent(row: ParentRow | undefined, policy: PartitionPolicy, shard: string): ParentRow {
  const table = `${policy.schema}.${policy.table}`
  if (!row) {
    throw new PartitionError({
      code: 'PARTITION_TABLE_NOT_FOUND',
      message: `Table ${table} does not exist on shard ${shard}.`,
      details: { table, shard },
    })
  }
  if (row.relkind !== 'p') {
    throw new PartitionError({
      code: 'PARTITION_TABLE_NOT_PARTITIONED',
      message: `Table ${table} on shard ${shard} is a plain table.`,
      details: { table, shard },
    })
  }
  const matches =
    row.strategy === 'r' &&
    row.key_columns === 1 &&
    row.key_column === policy.by &&
    policy.key.types.includes(row.key_type ?? '')
  if (matches) return row
  const found = `${strategyName(row.strategy)} (${row.key_column ?? 'an expression'} ${row.key_type ?? ''}${(row.key_columns ?? 1) > 1 ? ', ...' : ''})`
  throw new PartitionError({
    code: 'PARTITION_KEY_MISMATCH',
    message: `The policy of ${table} asks for RANGE (${policy.by} ${policy.key.types.join(' or ')}); on shard ${shard} it is ${found}.`,
    details: { table, shard },
  })
}

function strategyName(strategy: string | null): string {
  return strategy === 'r' ? 'RANGE' : strategy === 'l' ? 'LIST' : 'HASH'
}

async function parentOf(
  connection: FleetConnection,
  row: ParentRow,
  policy: PartitionPolicy,
  server: ServerRow,
): Promise<ParentTable> {
  const distribution = server.has_citus ? await distributionOf(connection, row.oid) : undefined
  return Object.freeze({
    oid: row.oid,
    schema: policy.schema,
    name: policy.table,
    owner: row.owner,
    ownedByUs: row.owned_by_us,
    tablespace: row.tablespace ?? undefined,
    replicaIdentity: row.replica_identity,
    columnSettings: row.column_settings,
    distributed: distribution !== undefined,
    distributionColumn: distribution?.column,
  })
}

function rangesOf(
  rows: readonly PartitionRow[],
  policy: PartitionPolicy,
  bytes: ReadonlyMap<string, bigint> | undefined,
): readonly PartitionState[] {
  const ranges = rows
    // A partition under detach may have lost its bound already; it covers nothing and only waits for FINALIZE.
    .filter((row) => row.bound !== 'DEFAULT' || row.detach_pending)
    .map((row) =>
      Object.freeze({
        oid: row.oid,
        schema: row.schema,
        name: row.name,
        ...(row.bound === 'DEFAULT'
          ? { lower: undefined, upper: undefined }
          : parseBound(row.bound, policy.key, row.name)),
        bound: row.bound,
        detachPending: row.detach_pending,
        partitioned: row.relkind === 'p',
        bytes: bytes ? (bytes.get(row.oid) ?? 0n) : BigInt(row.bytes),
        accessMethod: row.access_method,
        estimatedRows: row.estimated_rows,
        options: row.options,
      }),
    )
  return Object.freeze(ranges.sort(byLower))
}

function byLower(a: PartitionState, b: PartitionState): number {
  if (a.lower === b.lower) return a.name < b.name ? -1 : 1
  if (a.lower === undefined) return -1
  if (b.lower === undefined) return 1
  return a.lower < b.lower ? -1 : 1
}

async function namesOf(connection: FleetConnection, sql: string, parameters: readonly unknown[]): Promise<string[]> {
  return (await connection.query<{ name: string }>(sql, parameters)).rows.map((row) => row.name)
}

async function jobsOf(connection: FleetConnection, parentOid: string): Promise<readonly PartitionJob[]> {
  const { rows } = await connection.query<JobRow>(jobQuery, [parentOid])
  return rows.map((row) =>
    Object.freeze({
      id: row.id,
      kind: row.kind,
      child:
        row.child_name === null || row.child_schema === null
          ? undefined
          : Object.freeze({
              oid: row.child_oid,
              schema: row.child_schema,
              name: row.child_name,
              attached: row.attached,
            }),
      detail: parseJobDetail(row.detail),
    }),
  )
}

function fingerprintOf(state: Omit<CatalogState, 'fingerprint'>, shape: string): string {
  const parts = [
    state.standby,
    state.parent,
    shape,
    state.partitions.map((p) => [p.oid, p.schema, p.name, p.bound, p.detachPending, p.accessMethod]),
    state.defaultPartition && [state.defaultPartition.oid, state.defaultPartition.schema, state.defaultPartition.name],
    state.indexes.map((index) => [index.oid, index.name, index.valid, index.missing]),
    state.incomingForeignKeys,
    state.columnarObstacles,
    state.jobs,
  ]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

function tooOld(version: number): PartitionError {
  return new PartitionError({
    code: 'PARTITION_SERVER_VERSION',
    message: `The server is PostgreSQL ${Math.floor(version / 10_000)}; partitions need 14 or later.`,
    details: { version },
  })
}
