import type { Clock } from '@shardwright/core'
import { compareLsn } from '@shardwright/core'
import type { RunOptions, Statement, StatementResult } from './shard-pool.ts'
import { sqlStateOf } from './sql-state.ts'

/** The part of a server that a wait needs. */
export interface ReplayServer {
  readonly context: { readonly clock: Clock }
  execute(statement: Statement, options?: RunOptions): Promise<StatementResult>
}

// WAIT FOR LSN came with PostgreSQL 19.
const waitsItself = 190_000
// The server's own TIMEOUT ends the wait; the deadline is for a server that does not answer.
const answerGraceMs = 250
const lsnForm = /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i

/**
 * Waits until a standby has replayed `lsn`, within the deadline. Gives the position that it is known to have reached, which
 * is before `lsn` when the time was too short; undefined when it cannot say. Positions of another timeline compare as
 * numbers do: whose log it is must be known before.
 */
export async function waitForReplay(
  server: ReplayServer,
  lsn: string,
  deadline: number,
  serverVersion: number,
): Promise<string | undefined> {
  // It becomes part of a command below.
  if (!lsnForm.test(lsn)) return undefined
  if (serverVersion < waitsItself) return await pollReplay(server, lsn, deadline)
  const timeoutMs = Math.floor(deadline - server.context.clock.monotonicMs())
  // No timeout at all is what 0 means there.
  if (timeoutMs < 1) return undefined
  try {
    const { rows } = await server.execute(waitStatement(lsn, timeoutMs), { deadline: deadline + answerGraceMs })
    // Else `timeout`, or `not in recovery` after a promotion: the probes will tell.
    return (rows[0] as { status?: unknown } | undefined)?.status === 'success' ? lsn : undefined
  } catch (error) {
    // A server or a pooler that says it is new enough and does not know the command.
    return sqlStateOf(error) === '42601' ? await pollReplay(server, lsn, deadline) : undefined
  }
}

function waitStatement(lsn: string, timeoutMs: number): Statement {
  // A utility command takes no parameters.
  const sql = `wait for lsn '${lsn}' with (mode 'standby_replay', timeout '${timeoutMs}ms', no_throw)`
  return { sql, parameters: [], access: 'read', rows: 'facts' }
}

async function pollReplay(server: ReplayServer, lsn: string, deadline: number): Promise<string | undefined> {
  const { clock } = server.context
  for (let pauseMs = 1; ; pauseMs *= 2) {
    const replayed = await replayOf(server, deadline)
    if (replayed === undefined || compareLsn(replayed, lsn) >= 0) return replayed
    if (clock.monotonicMs() + pauseMs >= deadline) return replayed
    await clock.sleep(pauseMs)
  }
}

const replaySql: Statement = Object.freeze({
  sql: 'select pg_catalog.pg_last_wal_replay_lsn()::text as replayed',
  parameters: Object.freeze([]),
  access: 'read',
  rows: 'facts',
})

async function replayOf(server: ReplayServer, deadline: number): Promise<string | undefined> {
  try {
    const { rows } = await server.execute(replaySql, { deadline })
    return (rows[0] as { replayed: string | null }).replayed ?? undefined
  } catch {
    // The read does not depend on this replica: it goes to the primary, and the probes say what is wrong here.
    return undefined
  }
}
