import type { FleetConnection } from '@shardwright/core'

// The seed only keeps our lock numbers apart from those of other users of hashtextextended.
const seed = 11

/** Takes a session lock by name, or says that another session has it. It ends with the connection at the latest. */
export async function tryLock(connection: FleetConnection, name: string): Promise<boolean> {
  const { rows } = await connection.query<{ locked: boolean }>(
    'select pg_try_advisory_lock(hashtextextended($1, $2)) as locked',
    [name, seed],
  )
  return rows[0]?.locked === true
}

export async function unlock(connection: FleetConnection, name: string): Promise<void> {
  await connection.query('select pg_advisory_unlock(hashtextextended($1, $2))', [name, seed])
}

/** The lock of whoever refreshes or replaces a view or a rollup on a shard. */
export function lockOf(subject: { readonly schema: string; readonly name: string }): string {
  return `shardwright.view:${subject.schema}.${subject.name}`
}
