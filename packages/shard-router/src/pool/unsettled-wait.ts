import type { CommitToken, ReadContext } from '@shardwright/core'
import { poolError } from './pool-error.ts'
import type { Server } from './server.ts'
import type { RunOptions, Statement } from './shard-pool.ts'

const pauseMs = 25

export interface UnsettledWait {
  readonly shard: string
  readonly primary: () => Server
  readonly token: () => Promise<CommitToken>
  /** Shorter when the statement has less time. */
  readonly budgetMs: number
}

/**
 * Waits until what the context knows to be committed on a shard can be seen there: a part that is prepared is invisible
 * on the primary too. Then the place in the log that it has there takes over.
 * @throws ConnectionError SHARD_UNSETTLED
 */
export async function untilSettled(
  context: ReadContext,
  { shard, primary, token, budgetMs }: UnsettledWait,
  options: RunOptions | undefined,
): Promise<void> {
  const { clock } = primary().context
  const until = Math.min(clock.monotonicMs() + budgetMs, options?.deadline ?? Infinity)
  for (const unsettled of context.unsettledOn(shard)) {
    while (await isPrepared(primary(), unsettled, options)) {
      if (clock.monotonicMs() >= until) {
        throw poolError('SHARD_UNSETTLED', `A commit is decided and not yet finished on shard ${shard}.`, { shard })
      }
      await clock.sleep(pauseMs, options?.signal === undefined ? {} : { signal: options.signal })
    }
    context.settle(unsettled, await token())
  }
}

async function isPrepared(
  primary: Server,
  { unsettled }: CommitToken,
  options: RunOptions | undefined,
): Promise<boolean> {
  const statement: Statement = {
    sql: 'select exists (select from pg_catalog.pg_prepared_xacts where gid = $1) as there',
    parameters: [unsettled],
    access: 'read',
    rows: 'facts',
  }
  const { rows } = await primary.execute(statement, options)
  return (rows[0] as { there: boolean }).there
}
