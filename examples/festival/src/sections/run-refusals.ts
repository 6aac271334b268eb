import { ShardwrightError } from '@shardwright/core'
import type { Platform } from '../platform.ts'
import type { Screen } from '../show/screen.ts'

/** Queries that would be slow by accident, or wrong: each is refused. Gives what was not. */
export async function runRefusals(screen: Screen, platform: Platform): Promise<string[]> {
  const { router } = platform
  const refusals: [title: string, code: string, run: () => Promise<unknown>][] = [
    [
      'a query that names no festival, through router.db',
      'SHARD_KEY_REQUIRED',
      () => router.db.selectFrom('wallets').selectAll().execute(),
    ],
    [
      'a join of tables with different shard keys',
      'CROSS_SHARD_JOIN',
      () =>
        router
          .fanOut()
          .selectFrom('wallets')
          .innerJoin('tickets', 'tickets.user_id', 'wallets.user_id')
          .select(['wallets.balance', 'tickets.price'])
          .execute(),
    ],
    [
      'a transaction of one festival that touches another',
      'CONFINED_TO_KEY',
      () =>
        router
          .for({ festival_id: 'fjord-1' })
          .insertInto('stands')
          .values({ festival_id: 'nordlicht-1', id: 9_999, name: 'Bar', kind: 'drinks' })
          .execute(),
    ],
  ]
  const problems: string[] = []
  screen.heading('Refused, with what to write instead')
  for (const [title, code, run] of refusals) {
    const error = await run().then(
      () => undefined,
      (reason: unknown) => reason,
    )
    const refused = error instanceof ShardwrightError && error.code === code
    screen.field('asked', title)
    screen.field('answer', refused ? `${error.code}: ${error.message} ${error.hint}` : `NOT REFUSED: ${error}`)
    if (!refused) problems.push(`${title}: expected ${code}`)
  }
  return problems
}
