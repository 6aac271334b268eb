import type { FleetConnection } from '@shardwright/core'
import type { InvalidationSource } from '../cache/cache-options.ts'
import { pollingSource, type SourceOptions } from '../outbox/polling-source.ts'
import { beginBatch, type DrainBatch, type DrainRequest } from '../outbox/shard-drain.ts'
import { decodePgoutput } from './decode-pgoutput.ts'
import { replicationName, slotName } from './install-replication.ts'

/**
 * Delivers what logical replication tells of the tables of `installReplication`, instead of an outbox. Any number of
 * processes may read the same slots: one at a time does.
 * @throws CacheError CACHE_OPTIONS
 * @example
 * const cache = createCache({ namespace: 'shop', tiers, outbox: createReplicationSource({ fleet: router.fleet }) })
 */
export function createReplicationSource(options: SourceOptions): InvalidationSource {
  return pollingSource('createReplicationSource', options, replicationBatch)
}

const batch = 2_000
const slotInUse = '55006'

/** Peeks, delivers, and only then moves the slot on: a process that dies in between leaves the changes to another. */
const replicationBatch: DrainBatch = async (connection, request) => {
  const slot = slotName(replicationName(request.namespace), connection.shardId)
  await beginBatch(connection)
  try {
    // The lock keeps two processes from peeking at the same changes.
    const locked = await lock(connection, slot, request.locked === 'wait')
    const outcome = locked ? await deliverBatch(connection, slot, request) : nothing
    await connection.query('commit')
    return outcome
  } catch (error) {
    await connection.query('rollback').catch(() => undefined)
    throw error
  }
}

const nothing = Object.freeze({ count: 0, more: false })

async function deliverBatch(
  connection: FleetConnection,
  slot: string,
  request: DrainRequest,
): Promise<{ readonly count: number; readonly more: boolean }> {
  const { rows: positions } = await connection.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn')
  const { rows } = await connection.query<{ data: Buffer }>(
    `select data from pg_logical_slot_peek_binary_changes($1, null, ${batch}, 'proto_version', '1', 'publication_names', $2)`,
    [slot, replicationName(request.namespace)],
  )
  const { writes, endLsn } = decodePgoutput(
    rows.map((row) => row.data),
    Date.now(),
  )
  const ours = writes.filter((write) => request.tables.includes(write.table_name))
  if (ours.length > 0) await request.deliver(ours)
  const more = rows.length >= batch
  // Where nothing is left, the slot lets go of the log up to where it was before the look.
  const upTo = more && endLsn !== undefined ? lsnText(endLsn) : positions[0]!.lsn
  await advance(connection, slot, upTo)
  return { count: ours.length, more }
}

async function lock(connection: FleetConnection, slot: string, wait: boolean): Promise<boolean> {
  if (wait) {
    await connection.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [slot])
    return true
  }
  const sql = 'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as got'
  return (await connection.query<{ got: boolean }>(sql, [slot])).rows[0]!.got
}

async function advance(connection: FleetConnection, slot: string, lsn: string): Promise<void> {
  try {
    await connection.query(
      `select pg_replication_slot_advance($1, greatest($2::pg_lsn, confirmed_flush_lsn)) from pg_replication_slots
       where slot_name = $1`,
      [slot, lsn],
    )
  } catch (error) {
    // Somebody looks at the slot by hand: the changes come once more, which does no harm.
    if ((error as { code?: unknown }).code !== slotInUse) throw error
  }
}

function lsnText(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`
}
