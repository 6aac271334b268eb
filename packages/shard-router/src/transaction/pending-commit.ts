import type { Commit, CommitToken } from '@shardwright/core'
import type { AtomicContext } from './atomic-context.ts'
import type { Outcome } from './decision-table.ts'
import { finishOnNewSession } from './finish-prepared.ts'
import { askDecision } from './resolve-decision.ts'
import type { Vote } from './vote.ts'

/** A commit that goes on after its caller was answered. */
export interface PendingCommit {
  readonly why: NonNullable<Commit['pending']>
  /** Who reads under them waits for the parts that no server shows yet. */
  readonly tokens: readonly CommitToken[]
  /** Resolves with the commit when every part shows it; with undefined when it was rolled back. */
  finish(signal: AbortSignal): Promise<Commit | undefined>
}

/** A transaction whose parts are prepared. */
export interface PreparedTransaction {
  readonly txid: string
  readonly decider: Vote
  readonly others: readonly Vote[]
  readonly gidOf: (part: Vote) => string
}

const firstPauseMs = 250
const longestPauseMs = 30_000

/**
 * Asks until it is known what came of a transaction, and finishes it, as recovery would. Beside recovery: both obey the
 * same decision, and whoever comes second finds nothing to do.
 */
export async function finishPatiently(
  context: AtomicContext,
  { txid, decider, others, gidOf }: PreparedTransaction,
  known: Outcome | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  const outcome = known ?? (await patiently(context, signal, () => askDecision(context, txid, decider, others, signal)))
  const finish = (part: Vote) =>
    finishOnNewSession(context, part.participant.shard, gidOf(part), outcome, signal).then((done) => done || undefined)
  // What is rolled back changes nothing that a reader sees: recovery does what fails here.
  if (outcome === 'abort') await Promise.allSettled(others.map(finish))
  else await Promise.all(others.map((part) => patiently(context, signal, () => finish(part))))
  return outcome
}

async function patiently<T>(
  { settings: { clock } }: AtomicContext,
  signal: AbortSignal,
  work: () => Promise<T | undefined>,
): Promise<T> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    await clock.sleep(pauseMs, { signal, unref: true })
    const result = await work().catch(ignore)
    if (result !== undefined) return result
  }
}

function ignore(): undefined {}
