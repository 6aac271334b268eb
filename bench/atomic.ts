import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import { alternate } from './support/alternate.ts'
import { BenchCluster, keyOf } from './support/bench-cluster.ts'
import type { Bench, BenchResult } from './support/bench-result.ts'

const transfersPerRound = 150

/** An atomic transfer between two shards against two sequential one-shard transactions, through the same router. */
export const bench: Bench = {
  name: 'atomic',
  async run(): Promise<readonly BenchResult[]> {
    await using bench = await BenchCluster.start()
    const { router } = bench
    const pairs = pairsOf(bench)
    const pay = (trx: typeof router.db, { festival, wallet }: Place, amount: number) =>
      trx
        .updateTable('wallets')
        .set({ balance: sql`balance + ${amount}` })
        .where('festival_id', '=', festival)
        .where('id', '=', wallet)
        .execute()
    const atomic = async ({ from, to }: Pair) => {
      await router.transaction({ crossShard: 'atomic' }).execute(async (trx) => {
        await pay(trx, from, -1)
        await pay(trx, to, 1)
      })
    }
    const sequential = async ({ from, to }: Pair) => {
      await router.db.transaction().execute((trx) => pay(trx, from, -1))
      await router.db.transaction().execute((trx) => pay(trx, to, 1))
    }
    const measure = async (name: string): Promise<BenchResult> => {
      const { ratio, samples } = await alternate({
        ours: () => time(pairs, atomic),
        theirs: () => time(pairs, sequential),
      })
      return { name, value: ratio, unit: 'x', against: 'two sequential one-shard transactions', samples }
    }
    const inMemory = await measure('atomic two-shard transfer, latency, fsync off')
    await turnOnFsync(bench)
    return [await measure('atomic two-shard transfer, latency, fsync on'), inMemory]
  },
}

/** As in production: a commit is on disk before it is acknowledged. Without, only processor time is compared. */
async function turnOnFsync({ topology }: BenchCluster): Promise<void> {
  for (const { primary } of topology.shards) {
    const client = new pg.Client(primary.directUrl)
    await client.connect()
    await client.query('alter system set fsync = on')
    await client.query('select pg_reload_conf()')
    const isOn = async () => (await client.query<{ fsync: string }>('show fsync')).rows[0]?.fsync === 'on'
    while (!(await isOn())) await pause(10)
    await client.end()
  }
}

interface Place {
  readonly festival: number
  readonly wallet: number
}

interface Pair {
  readonly from: Place
  readonly to: Place
}

/** Neighbouring turns whose wallets are on different shards. */
function pairsOf(bench: BenchCluster): Pair[] {
  const pairs: Pair[] = []
  for (let turn = 0; pairs.length < transfersPerRound; turn++) {
    const [from, to] = [keyOf(turn), keyOf(turn + 1)]
    if (bench.shardOf(from.festival) !== bench.shardOf(to.festival)) pairs.push({ from, to })
  }
  return pairs
}

/** Milliseconds for all of them, one after the other: their latency. */
async function time(pairs: readonly Pair[], transfer: (pair: Pair) => Promise<void>): Promise<number> {
  const start = performance.now()
  for (const pair of pairs) await transfer(pair)
  return performance.now() - start
}
