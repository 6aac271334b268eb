import type { CommitToken, ReadContext } from '@shardwright/core'
import type { Statement, StatementResult } from './shard-pool.ts'
import { endOfLog } from './unknown-place.ts'

/** What a read under a token needs of its shard. */
export interface OnwardReads {
  readonly position: Statement
  read(statement: Statement): Promise<StatementResult>
  /** Asks the server that answered. */
  ask(server: string, position: Statement): Promise<StatementResult>
  /** A server is known to have reached this place. */
  reached(server: string, lsn: string): void
}

/**
 * A read under a token, which afterwards stands where the server stood that answered: the next read, on whichever server,
 * sees no less. The question for the place travels behind the read where it can.
 */
export async function readOnwards(
  shard: OnwardReads,
  statement: Statement,
  context: ReadContext,
  token: CommitToken,
): Promise<StatementResult> {
  const { position } = shard
  const { followedBy, ...result } = await shard.read({ ...statement, followedBy: position })
  const answer = followedBy ?? (await shard.ask(result.server, position).catch(() => undefined))
  const { lsn } = (answer?.rows[0] ?? {}) as { readonly lsn?: string | null }
  if (lsn) shard.reached(result.server, lsn)
  context.add(Object.freeze({ ...token, lsn: lsn ?? endOfLog }))
  return result
}
