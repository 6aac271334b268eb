import type { RouterState } from '../execute/context.ts'
import { gidPrefix } from '../transaction/gid.ts'

const pauseMs = 10
const longestMs = 5_000

const preparedSql = `select coalesce(array_agg(gid), '{}') as gids from pg_catalog.pg_prepared_xacts
 where database = pg_catalog.current_database() and starts_with(gid, $1)`

/**
 * Waits until the transactions across shards that are prepared now on some shards are over there: what is committed, and
 * seen on one shard, is seen on the others too. Gives up after five seconds: then recovery has to finish them.
 */
export async function preparedGone(state: RouterState, shards: Iterable<number>): Promise<void> {
  await Promise.all([...shards].map((shard) => goneFrom(state, shard)))
}

async function goneFrom(state: RouterState, shard: number): Promise<void> {
  const { clock } = state
  const until = clock.monotonicMs() + longestMs
  const first = await preparedOn(state, shard)
  let left = first
  while (left.length > 0 && clock.monotonicMs() < until) {
    await clock.sleep(pauseMs)
    const now = new Set(await preparedOn(state, shard))
    left = left.filter((gid) => now.has(gid))
  }
}

async function preparedOn(state: RouterState, shard: number): Promise<readonly string[]> {
  const { rows } = await state.pool.execute(
    shard,
    { sql: preparedSql, parameters: [gidPrefix(state.topology.id)], access: 'read', rows: 'objects' },
    { reads: 'primary' },
  )
  return (rows[0] as { gids: string[] }).gids
}
