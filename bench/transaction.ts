import type { Kysely } from 'kysely'
import { alternate } from './support/alternate.ts'
import { BenchCluster, type BenchDatabase, keyOf } from './support/bench-cluster.ts'
import type { Bench } from './support/bench-result.ts'
import { throughput } from './support/throughput.ts'

const roundMs = 800

/** A transaction of two statements on one key. */
export const bench: Bench = {
  name: 'transaction',
  async run() {
    await using cluster = await BenchCluster.start()
    const routed = (turn: number) => transfer(cluster.router.db, turn)
    const picked = (turn: number) => transfer(cluster.stock[cluster.shardOf(keyOf(turn).festival)]!, turn)
    const { ratio, samples } = await alternate({
      ours: () => throughput(32, roundMs, routed),
      theirs: () => throughput(32, roundMs, picked),
      rounds: 9,
    })
    return {
      name: 'transaction',
      value: ratio,
      unit: 'x',
      against: 'stock Kysely, a pool per shard, concurrency 32',
      samples,
    }
  },
}

async function transfer(db: Kysely<BenchDatabase>, turn: number): Promise<void> {
  const { festival, wallet } = keyOf(turn)
  await db.transaction().execute(async (trx) => {
    const found = await trx
      .selectFrom('wallets')
      .select('balance')
      .where('festival_id', '=', festival)
      .where('id', '=', wallet)
      .executeTakeFirstOrThrow()
    await trx
      .updateTable('wallets')
      .set({ balance: String(Number(found.balance) + 1) })
      .where('festival_id', '=', festival)
      .where('id', '=', wallet)
      .execute()
  })
}
