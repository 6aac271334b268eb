import type { Kysely } from 'kysely'
import { alternate } from './support/alternate.ts'
import { BenchCluster, type BenchDatabase, keyOf } from './support/bench-cluster.ts'
import type { Bench } from './support/bench-result.ts'
import { laneKysely } from './support/lane-dialect.ts'
import { throughput } from './support/throughput.ts'

const roundMs = 700

/** Reads of one row by its key: the router, stock Kysely with the pool picked by hand, and the lanes without planning. */
export const bench: Bench = {
  name: 'point-read',
  async run() {
    await using cluster = await BenchCluster.start()
    const lanes = cluster.topology.shards.map((_, shard) => laneKysely<BenchDatabase>(cluster.pool, shard))
    const routed = (turn: number) => read(cluster.router.db, turn)
    const picked = (turn: number) => read(cluster.stock[cluster.shardOf(keyOf(turn).festival)]!, turn)
    const unplanned = (turn: number) => read(lanes[cluster.shardOf(keyOf(turn).festival)]!, turn)
    const at = (concurrency: number, call: (turn: number) => Promise<unknown>) => () =>
      throughput(concurrency, roundMs, call)
    const busy = await alternate({ ours: at(32, routed), theirs: at(32, picked) })
    const overhead = await alternate({ ours: at(32, routed), theirs: at(32, unplanned) })
    const alone = await alternate({ ours: at(1, routed), theirs: at(1, picked) })
    return [
      {
        name: 'point-read',
        value: busy.ratio,
        unit: 'x',
        against: 'stock Kysely, a pool per shard, concurrency 32',
        samples: busy.samples,
      },
      {
        name: 'point-read-overhead',
        value: overhead.ratio,
        unit: 'x',
        against: 'the same lanes without planning',
        samples: overhead.samples,
      },
      {
        name: 'point-read-c1',
        value: alone.ratio,
        unit: 'x',
        against: 'stock Kysely, concurrency 1',
        samples: alone.samples,
      },
    ]
  },
}

async function read(db: Kysely<BenchDatabase>, turn: number): Promise<void> {
  const { festival, wallet } = keyOf(turn)
  const rows = await db
    .selectFrom('wallets')
    .selectAll()
    .where('festival_id', '=', festival)
    .where('id', '=', wallet)
    .execute()
  if (rows.length !== 1 || rows[0]!.id !== wallet) throw new Error(`wallet ${festival}/${wallet}: ${rows.length} rows`)
}
