import type { Participant } from './participant.ts'
import { assumedVote, type Vote, voteOf } from './vote.ts'

/** The votes of all that may have written; asked now only where neither an early answer nor their rows say it. */
export async function collectVotes(participants: readonly Participant[]): Promise<Vote[]> {
  const asked = participants.filter((each) => each.mayHaveWritten)
  return await Promise.all(
    asked.map(async (each) => {
      const early = await each.earlyVote
      if (early !== undefined && early.xid !== null) return early
      return (each.hasWritten ? assumedVote(each) : undefined) ?? (await voteOf(each))
    }),
  )
}

/** The decider is the first that is proved to have written, by its number. */
export async function deciderFirst(writers: readonly Vote[]): Promise<Vote[]> {
  const proved = writers.find(({ participant, xid }) => participant.numbered || (xid !== null && xid !== ''))
  if (proved) return [proved, ...writers.filter((vote) => vote !== proved)]
  const [first, ...rest] = writers
  if (first === undefined) return []
  // Rows that an INSTEAD OF trigger or a foreign table took give no number: it has to stand before anything is prepared.
  return [await voteOf(first.participant, 'select pg_catalog.pg_current_xact_id(); '), ...rest]
}
