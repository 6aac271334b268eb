import { sqlStateOf } from '../pool/sql-state.ts'
import { type AtomicContext, withDirectClient } from './atomic-context.ts'
import type { Outcome } from './decision-table.ts'
import type { Participant } from './participant.ts'
import { tooLate, within } from './while-answering.ts'

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
  if (participant.held && (await onSession(participant, sql, timeoutMs))) return true
  for (let leftMs = until - clock.monotonicMs(); leftMs > 0; leftMs = until - clock.monotonicMs()) {
    const signal = AbortSignal.timeout(Math.ceil(leftMs))
    if (await finishOnNewSession(context, participant.shard, gid, outcome, signal)) return true
    await clock.sleep(pauseMs)
  }
  return false
}

async function onSession(participant: Participant, sql: string, timeoutMs: number): Promise<boolean> {
  try {
    if ((await within(timeoutMs, participant.run(sql))) !== tooLate) return true
    participant.destroy(tooLate)
    return false
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
