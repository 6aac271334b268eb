import type { CommitToken } from '@shardwright/core'
import type { AtomicContext } from './atomic-context.ts'
import { tokenAfterCommit, unknownPlace } from './token-after-commit.ts'
import type { Vote } from './vote.ts'

/** A part that is committed, or about to be. */
export type Part = Pick<Vote, 'participant'> & { readonly facts: Vote['facts'] | undefined }

export function partToken({ pool, telemetry }: AtomicContext, { participant, facts }: Part): Promise<CommitToken> {
  return tokenAfterCommit(pool, telemetry, participant.shard, facts?.incarnation)
}

/** Of a part that is prepared still: who reads under it waits until `gid` is finished, as no server would show it before. */
export function unsettledToken({ pool }: AtomicContext, { participant, facts }: Part, gid: string): CommitToken {
  return { ...unknownPlace(pool, participant.shard, facts?.incarnation), unsettled: gid }
}
