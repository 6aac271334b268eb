import { defineRepository } from '@shardwright/core'
import { alternate } from './support/alternate.ts'
import { BenchCluster, type BenchDatabase, keyOf } from './support/bench-cluster.ts'
import type { Bench } from './support/bench-result.ts'
import { throughput } from './support/throughput.ts'

const roundMs = 700
const wallets = defineRepository<BenchDatabase>()('wallets', { id: ['festival_id', 'id'], key: 'festival_id' })

/** findById of the typed repository over the router, against the same query by stock Kysely. */
export const bench: Bench = {
  name: 'repository-find',
  async run() {
    await using cluster = await BenchCluster.start()
    const repository = wallets.with(cluster.router.db)
    const found = async (turn: number) => {
      const { festival, wallet } = keyOf(turn)
      const row = await repository.findById({ festival_id: festival, id: wallet })
      if (row?.id !== wallet) throw new Error(`wallet ${festival}/${wallet} is not there`)
    }
    const picked = async (turn: number) => {
      const { festival, wallet } = keyOf(turn)
      const db = cluster.stock[cluster.shardOf(festival)]!
      const row = await db
        .selectFrom('wallets')
        .selectAll()
        .where('festival_id', '=', festival)
        .where('id', '=', wallet)
        .executeTakeFirst()
      if (row?.id !== wallet) throw new Error(`wallet ${festival}/${wallet} is not there`)
    }
    const { ratio, samples } = await alternate({
      ours: () => throughput(32, roundMs, found),
      theirs: () => throughput(32, roundMs, picked),
    })
    return {
      name: 'repository-find',
      value: ratio,
      unit: 'x',
      against: 'stock Kysely, a pool per shard, concurrency 32',
      samples,
    }
  },
}
