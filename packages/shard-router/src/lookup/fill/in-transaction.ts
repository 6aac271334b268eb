import type { FleetConnection } from '@shardwright/core'
import { sqlStateOf } from '../../pool/sql-state.ts'

/** `keep: false` rolls back what `work` did. */
export async function inTransaction<T>(
  connection: FleetConnection,
  work: () => Promise<T>,
  { keep = true }: { readonly keep?: boolean } = {},
): Promise<T> {
  await connection.query('begin')
  try {
    const result = await work()
    await connection.query(keep ? 'commit' : 'rollback')
    return result
  } catch (error) {
    await connection.query('rollback').catch(() => undefined)
    throw error
  }
}

// A lock that did not come in time, a deadlock, a serialization failure.
const passing: ReadonlySet<string | undefined> = new Set(['55P03', '40P01', '40001'])
const mostAttempts = 30
const pauseMs = 100

/** Runs `work` again where it met a writer that holds what it needs. */
export async function withPatience<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (!passing.has(sqlStateOf(error)) || attempt === mostAttempts) throw error
      await new Promise((resolve) => setTimeout(resolve, pauseMs * Math.random()))
    }
  }
}
