import type { FleetConnection, FleetShard } from '@shardwright/core'
import { exactText } from '../new-shard/reference-data.ts'

/**
 * Begins a transaction in which values have the same texts on every server, and on every node of Citus: SET LOCAL is repeated
 * there, and one statement is one message.
 */
export async function beginPinned(connection: FleetConnection, mode = ''): Promise<void> {
  await connection.query(`begin ${mode}`)
  await connection.query('set local statement_timeout to 0')
  await connection.query('set local idle_in_transaction_session_timeout to 0')
  await connection.query(`set local citus.propagate_set_commands to 'local'`)
  for (const setting of exactText.split(';')) await connection.query(setting)
}

export const readOnly = 'isolation level repeatable read read only'

/** Names come out qualified, and row level security gives an error instead of hiding rows. */
export async function openPinned(shard: FleetShard, signal: AbortSignal): Promise<FleetConnection> {
  const connection = await shard.connect({ applicationName: 'shardwright-transfer', signal })
  try {
    await connection.query('set search_path to pg_catalog')
    await connection.query('set row_security to off')
    return connection
  } catch (error) {
    await connection.release()
    throw error
  }
}

/** One connection a shard; all are released with the value. */
export async function openAll(
  shards: readonly FleetShard[],
  signal: AbortSignal,
): Promise<AsyncDisposable & { readonly connections: readonly FleetConnection[] }> {
  const connections: FleetConnection[] = []
  const release = async () => {
    await Promise.all(connections.map((connection) => connection.release()))
  }
  try {
    for (const shard of shards) connections.push(await openPinned(shard, signal))
  } catch (error) {
    await release()
    throw error
  }
  return { connections, [Symbol.asyncDispose]: release }
}
