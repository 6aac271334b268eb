import { sqlStateOf } from '../pool/sql-state.ts'
import { type AtomicContext, withDirectClient } from './atomic-context.ts'
import type { Outcome } from './decision-table.ts'
import type { Participant } from './participant.ts'

/** No prepared transaction has this name: somebody else has finished it. */
export const noSuchPrepared = '42704'
/** Another session is finishing it now. */
export const preparedBusy = '55000'

const pauseMs = 200

export function finishSql(outcome: Outcome, gid: string): string {
  return `${outcome === 'commit' ? 'commit' : 'rollback'} prepared '${gid}'`
}

/** Finishes a prepared participant on its session, else on new ones until `timeoutMs`. False: not reached. */
export async function finishPrepared(
  context: AtomicContext,
  participant: Participant,
  gid: string,
  outcome: Outcome,
  timeoutMs: number,
): Promise<boolean> {
  const { clock } = context.settings
  const until = clock.monotonicMs() + timeoutMs
  const sql = finishSql(outcome, gid)
  if (participant.held && (await onSession(participant, sql))) return true
  do {
    if (await finishOnNewSession(context, participant.shard, gid, outcome)) return true
    await clock.sleep(pauseMs)
  } while (clock.monotonicMs() < until)
  return false
}

async function onSession(participant: Participant, sql: string): Promise<boolean> {
  try {
    await participant.run(sql)
    return true
  } catch (error) {
    if (sqlStateOf(error) === noSuchPrepared) return true
    participant.destroy(error)
    return false
  }
}

/** One try. False: not reached, or another session is at it. */
export async function finishOnNewSession(
  context: AtomicContext,
  shard: number,
  gid: string,
  outcome: Outcome,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    await withDirectClient(context, shard, (client) => client.query(finishSql(outcome, gid)), signal)
    return true
  } catch (error) {
    return sqlStateOf(error) === noSuchPrepared
  }
}
