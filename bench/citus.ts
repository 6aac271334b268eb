import { defineSchema, sharded } from '@shardwright/core'
import { citusAvailability, citusFromEnvironment } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import type { Kysely } from 'kysely'
import pg from 'pg'
import { alternate } from './support/alternate.ts'
import { type BenchDatabase, festivals, keyOf, stockKysely, walletsPerFestival } from './support/bench-cluster.ts'
import type { Bench, BenchResult } from './support/bench-result.ts'
import { throughput } from './support/throughput.ts'

const roundMs = 700
const schema = defineSchema<BenchDatabase>()({ tables: { wallets: sharded('festival_id') } })

/** On Citus: one row by its key, and an aggregate over all shards, by the router and by stock Kysely on the coordinator. */
export const bench: Bench = {
  name: 'citus',
  async run() {
    const { available } = await citusAvailability()
    if (!available) return []
    await using citus = await citusFromEnvironment()
    const database = await citus.createDatabase()
    await fill(database.url)
    await using router = createShardRouter({ schema, topology: database.topologyInput() })
    await router.ready()
    const stock = stockKysely(database.url)
    const results: BenchResult[] = []
    for (const concurrency of [8, 32]) {
      const { ratio, samples } = await alternate({
        ours: () => throughput(concurrency, roundMs, (turn) => read(router.db, turn)),
        theirs: () => throughput(concurrency, roundMs, (turn) => read(stock, turn)),
      })
      const against = `stock Kysely on the coordinator, concurrency ${concurrency}`
      results.push({ name: `citus-point-read-c${concurrency}`, value: ratio, unit: 'x', against, samples })
    }
    const { ratio, samples } = await alternate({
      ours: () => throughput(4, roundMs, () => sum(router.fanOut())),
      theirs: () => throughput(4, roundMs, () => sum(stock)),
    })
    const against = 'stock Kysely on the coordinator, concurrency 4'
    results.push({ name: 'citus-aggregate', value: ratio, unit: 'x', against, samples })
    await stock.destroy()
    return results
  },
}

async function fill(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`create table wallets (festival_id int not null, id int not null, owner text not null,
    balance numeric not null, updated_at timestamptz not null default now(), primary key (festival_id, id))`)
  await client.query("select create_distributed_table('wallets', 'festival_id')")
  await client.query(
    `insert into wallets (festival_id, id, owner, balance)
     select f, w, 'owner ' || w, w * 1.25 from generate_series(0, $1::int - 1) f, generate_series(0, $2::int - 1) w`,
    [festivals, walletsPerFestival],
  )
  await client.query('vacuum analyze wallets')
  await client.end()
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

async function sum(db: Kysely<BenchDatabase>): Promise<void> {
  const row = await db
    .selectFrom('wallets')
    .select(({ fn }) => [fn.countAll<string>().as('count'), fn.sum<string>('balance').as('sum')])
    .executeTakeFirstOrThrow()
  if (Number(row.count) !== festivals * walletsPerFestival) throw new Error(`${row.count} wallets`)
}
