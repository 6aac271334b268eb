import type { Kysely } from 'kysely'
import { alternate } from './support/alternate.ts'
import { BenchCluster, type BenchDatabase, stockKysely } from './support/bench-cluster.ts'
import type { Bench } from './support/bench-result.ts'

const rows = 10_000
const batch = 500

/** 10,000 rows in batches of 500 spread over four shards, against the same into one server by stock Kysely. */
export const bench: Bench = {
  name: 'insert-split',
  async run() {
    await using cluster = await BenchCluster.start()
    const url = await cluster.cluster.shards[0]!.createDatabase('one_server')
    const one = stockKysely(url)
    await one.schema
      .createTable('wallets')
      .addColumn('festival_id', 'integer', (column) => column.notNull())
      .addColumn('id', 'integer', (column) => column.notNull())
      .addColumn('owner', 'text', (column) => column.notNull())
      .addColumn('balance', 'numeric', (column) => column.notNull())
      .addColumn('updated_at', 'timestamptz', (column) => column.notNull())
      .addPrimaryKeyConstraint('wallets_pkey', ['festival_id', 'id'])
      .execute()
    try {
      let base = 1_000_000
      const insertInto = (db: Kysely<BenchDatabase>) => async () => {
        base += rows
        return await rowsPerSecond(db, base)
      }
      const { ratio, samples } = await alternate({ ours: insertInto(cluster.router.db), theirs: insertInto(one) })
      return {
        name: 'insert-split',
        value: ratio,
        unit: 'x',
        against: 'one server, stock Kysely, 10,000 rows in batches of 500',
        samples,
      }
    } finally {
      await one.destroy()
    }
  },
}

async function rowsPerSecond(db: Kysely<BenchDatabase>, base: number): Promise<number> {
  const start = performance.now()
  for (let first = 0; first < rows; first += batch) {
    const values = Array.from({ length: batch }, (_, offset) => ({
      festival_id: base + first + offset,
      id: offset,
      owner: `owner ${offset}`,
      balance: '10.25',
      updated_at: new Date(0),
    }))
    await db.insertInto('wallets').values(values).execute()
  }
  return rows / (performance.now() - start)
}
