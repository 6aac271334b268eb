import type { FleetConnection } from '@shardwright/core'

/** Runs `work` between BEGIN and COMMIT; rolls back when it throws, and throws what it threw. */
export async function inTransaction<T>(
  connection: FleetConnection,
  work: () => Promise<T>,
  begin = 'begin',
): Promise<T> {
  await connection.script(begin)
  try {
    const result = await work()
    await connection.script('commit')
    return result
  } catch (error) {
    await connection.script('rollback').catch(() => {
      // The connection is gone, and with it the transaction; the first error says why.
    })
    throw error
  }
}
