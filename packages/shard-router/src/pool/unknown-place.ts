import type { CommitToken } from '@shardwright/core'

/** Farther than any log: no replica reaches it, so that reads with it go to the primary. */
export const endOfLog = 'FFFFFFFF/FFFFFFFF'
/** Nobody's: it is not believed, so that reads with it go to the primary too, until the next commit. */
const noIncarnation = '0:00000000'

/** The token of a commit whose place in the log is not known, or of which nobody knows whether it is one. */
export function unknownPlaceOn(shard: string, epoch: number, incarnation = noIncarnation): CommitToken {
  return Object.freeze({ shard, lsn: endOfLog, incarnation, epoch })
}
