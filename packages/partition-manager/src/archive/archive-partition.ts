import type { FleetConnection } from '@shardwright/core'
import { checksumRows, type RowChecksum } from '../apply/row-checksum.ts'
import type { MaintenanceSession } from '../apply/session.ts'
import { positionText } from '../calendar/position.ts'
import { wrapServerError } from '../errors/failure.ts'
import { PartitionError } from '../errors/partition-error.ts'
import type { CatalogState } from '../inspect/catalog-state.ts'
import type { RetirePartition } from '../plan/action.ts'
import type { ArchiveFunction, ArchiveSource } from '../policy/archive-target.ts'
import type { PartitionPolicy } from '../policy/policy.ts'
import { identifier, qualified } from '../sql/identifier.ts'
import { copyRows } from './copy-rows.ts'
import { directoryArchive } from './directory-archive.ts'

/**
 * Sends the rows of a partition to its archive from one snapshot and checks that the archive counted as many as the
 * server. On any doubt it throws, and the partition stays attached.
 * @returns count and checksum of that snapshot, to be compared again before the table is dropped.
 */
export async function archivePartition(
  session: MaintenanceSession,
  state: CatalogState,
  policy: PartitionPolicy,
  action: RetirePartition,
): Promise<RowChecksum> {
  const { partition } = action
  const table = qualified(partition.schema, partition.name)
  // A COPY that is cut short leaves a client that cannot be used again: it gets one of its own.
  const connection = await session.another()
  const pid = await backendOf(connection)
  try {
    await connection.query('begin isolation level repeatable read read only')
    const expected = await checksumRows(connection, `${table} as t`)
    const columns = await columnsOf(session, state)
    const rows = copyRows(connection, `copy (select ${columns.map(identifier).join(', ')} from ${table}) to stdout`)
    session.step('archive-write', { partition: partition.name, rows: expected.rows })
    const stored = await write(archiveFunction(policy), { ...sourceOf(session, policy, action), columns, rows })
    session.step('archive-verify', { partition: partition.name, rows: stored })
    if (stored === expected.rows) return expected
    throw new PartitionError({
      code: 'PARTITION_ARCHIVE_MISMATCH',
      message: `The archive of ${partition.name} counts ${stored} rows, the partition has ${expected.rows}; it stays in place.`,
      details: { shard: session.shard.id, partition: partition.name },
    })
  } catch (error) {
    // A COPY that nobody reads to its end blocks its client for ever; the server ends it from its side.
    await session.query('select pg_terminate_backend($1)', [pid]).catch(() => {
      // The server is gone, and the COPY with it: the error under way says so.
    })
    throw wrapServerError(error, `archive ${partition.name}`)
  } finally {
    await connection.release().catch(() => {
      // Ended by the server already.
    })
  }
}

async function backendOf(connection: FleetConnection): Promise<number> {
  const { rows } = await connection.query<{ pid: number }>('select pg_backend_pid() as pid')
  return (rows[0] as { pid: number }).pid
}

function archiveFunction(policy: PartitionPolicy): ArchiveFunction {
  const then = policy.retention?.then
  if (typeof then === 'object') {
    if (typeof then.archive === 'function') return then.archive
    if ('directory' in then.archive) return directoryArchive(then.archive.directory)
  }
  throw new Error('unreachable: no archive that copies')
}

async function write(archive: ArchiveFunction, source: ArchiveSource): Promise<bigint> {
  try {
    return BigInt((await archive(source)).rows)
  } catch (cause) {
    throw new PartitionError({
      code: 'PARTITION_ARCHIVE_FAILED',
      message: `The archive of ${source.partition} on shard ${source.shard} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      details: { shard: source.shard, partition: source.partition },
      cause,
    })
  }
}

function sourceOf(session: MaintenanceSession, policy: PartitionPolicy, action: RetirePartition) {
  return {
    shard: session.shard.id,
    schema: policy.schema,
    table: policy.table,
    partition: action.partition.name,
    oid: action.partition.oid,
    from: action.range.lower === undefined ? 'MINVALUE' : positionText(action.range.lower),
    to: positionText(action.range.upper),
    signal: session.options.signal,
  }
}

/** Generated columns are left out: they cannot be restored, and need not be. */
async function columnsOf(session: MaintenanceSession, state: CatalogState): Promise<readonly string[]> {
  const { rows } = await session.query<{ name: string }>(
    `select attname::text as name from pg_attribute
      where attrelid = $1::oid and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`,
    [state.parent.oid],
  )
  return rows.map((row) => row.name)
}
