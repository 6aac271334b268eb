import { ReadContext, runInReadContext } from '@shardwright/core'
import type { Kysely } from 'kysely'
import { alternate } from './support/alternate.ts'
import { BenchCluster, type BenchDatabase, keyOf } from './support/bench-cluster.ts'
import type { Bench } from './support/bench-result.ts'
import { throughput } from './support/throughput.ts'

const roundMs = 700

/** UPDATE of one row by its key, autocommit; the router with a commit token for every write, as read-your-writes needs. */
export const bench: Bench = {
  name: 'point-write',
  async run() {
    await using cluster = await BenchCluster.start()
    const routed = (turn: number) => runInReadContext(new ReadContext(), () => update(cluster.router.db, turn))
    const picked = (turn: number) => update(cluster.stock[cluster.shardOf(keyOf(turn).festival)]!, turn)
    const { ratio, samples } = await alternate({
      ours: () => throughput(32, roundMs, routed),
      theirs: () => throughput(32, roundMs, picked),
    })
    return {
      name: 'point-write',
      value: ratio,
      unit: 'x',
      against: 'stock Kysely, a pool per shard, concurrency 32, fsync off',
      samples,
    }
  },
}

async function update(db: Kysely<BenchDatabase>, turn: number): Promise<void> {
  const { festival, wallet } = keyOf(turn)
  const { numUpdatedRows } = await db
    .updateTable('wallets')
    .set({ balance: String(turn) })
    .where('festival_id', '=', festival)
    .where('id', '=', wallet)
    .executeTakeFirstOrThrow()
  if (numUpdatedRows !== 1n) throw new Error(`wallet ${festival}/${wallet}: ${numUpdatedRows} rows`)
}
