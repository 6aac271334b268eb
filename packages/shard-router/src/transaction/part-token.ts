import type { CommitToken } from '@shardwright/core'
import { type AtomicContext, shardIdOf, unknownPlace } from './atomic-context.ts'
import type { Vote } from './vote.ts'

/** A part that is committed, or about to be. */
export type Part = Pick<Vote, 'participant'> & { readonly facts: Vote['facts'] | undefined }

/** The place of a committed part in its shard's log. The commit stands whether or not it can be read. */
export async function partToken(context: AtomicContext, part: Part): Promise<CommitToken> {
  const { shard } = part.participant
  try {
    return await context.pool.commitToken(shard)
  } catch (error) {
    const id = shardIdOf(context, shard)
    const why = error instanceof Error ? error.message : String(error)
    context.telemetry.log('warn', `No commit token of shard '${id}': ${why}`, { shard: id })
    return unknownPlaceOf(context, part)
  }
}

/** Of a part that is prepared still: who reads under it waits until `gid` is finished, as no server would show it before. */
export function unsettledToken(context: AtomicContext, part: Part, gid: string): CommitToken {
  return { ...unknownPlaceOf(context, part), unsettled: gid }
}

function unknownPlaceOf(context: AtomicContext, { participant, facts }: Part): CommitToken {
  return unknownPlace(context, participant.shard, facts?.incarnation ?? '')
}
