import type { FleetConnection, FleetShard } from '@shardwright/core'
import { TransferError } from '../errors/transfer-error.ts'
import { sqlStateOf } from '../sql/sql-state.ts'
import { openPinned } from './pinned-connection.ts'

/** Keeps writers out of tables until it is disposed of; readers go on. */
export async function holdWrites(
  shards: readonly { readonly shard: FleetShard; readonly tables: readonly string[] }[],
  lockTimeoutMs: number,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const held: FleetConnection[] = []
  const release = async () => {
    await Promise.all(held.map((connection) => connection.release()))
  }
  try {
    for (const { shard, tables } of shards) {
      if (tables.length === 0) continue
      const connection = await openPinned(shard, signal)
      held.push(connection)
      await connection.query('begin')
      await connection.query('set local idle_in_transaction_session_timeout to 0')
      await connection.query(`set local citus.propagate_set_commands to 'local'`)
      await connection.query(`set local lock_timeout to ${lockTimeoutMs}`)
      for (const table of tables) await lock(connection, table)
    }
  } catch (error) {
    await release()
    throw error
  }
  return { [Symbol.asyncDispose]: release }
}

async function lock(connection: FleetConnection, table: string): Promise<void> {
  try {
    await connection.query(`lock table ${table} in share mode`)
  } catch (cause) {
    if (sqlStateOf(cause) !== '55P03') throw cause
    throw new TransferError({
      code: 'TRANSFER_SOURCE_BUSY',
      message: `${table} on ${connection.shardId} is being written to: its writers did not end in time.`,
      hint: 'Stop the services that write, then run it again; what is copied stays copied.',
      details: { table, shard: connection.shardId },
      cause,
    })
  }
}
