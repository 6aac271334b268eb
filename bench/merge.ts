import { defineSchema, type ShardKey, sharded } from '@shardwright/core'
import { startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import pg from 'pg'
import Cursor from 'pg-cursor'
import type { Bench } from './support/bench-result.ts'
import { median } from './support/median.ts'

interface Database {
  events: { user_id: ShardKey<number>; id: number; amount: string }
}

const schema = defineSchema<Database>()({ tables: { events: sharded('user_id') } })
const rows = 1_000_000
const chunk = 1000

/** An ordered stream of a million rows from 4 shards against the same rows from one server by pg-cursor. */
export const bench: Bench = {
  name: 'merge',
  async run() {
    await using cluster = await startLocalCluster({ shards: 4, settings: { fsync: 'off' } })
    const ddl = 'create table events (user_id int not null, id int not null, amount numeric, primary key (user_id, id))'
    for (const [index, shard] of cluster.fleet().shards.entries()) {
      await using connection = await shard.connect()
      await connection.script(
        `${ddl}; insert into events select 1, i, i * 0.25 from generate_series(${index}, ${rows - 1}, 4) i; create index on events (id)`,
      )
      await connection.query('vacuum analyze events')
    }
    const url = await cluster.shards[0]!.createDatabase('whole')
    const whole = new pg.Client(url)
    await whole.connect()
    await whole.query(ddl)
    await whole.query(`insert into events select 1, i, i * 0.25 from generate_series(0, ${rows - 1}) i`)
    await whole.query('create index on events (id)')
    await whole.query('vacuum analyze events')
    await using router = createShardRouter({ schema, topology: { hash: 'postgres', ...cluster.topologyInput() } })
    await router.ready()
    const ratios: number[] = []
    let growth = 0
    for (let round = 0; round < 5; round++) {
      const one = await timed(() => readCursor(whole))
      globalThis.gc?.()
      const before = process.memoryUsage().heapUsed
      let peak = before
      const merged = await timed(async () => {
        let count = 0
        let last = -1
        for await (const row of router.fanOut().selectFrom('events').selectAll().orderBy('id').stream(chunk)) {
          if (row.id <= last) throw new Error('the stream is not in order')
          last = row.id
          if (++count % 50_000 === 0) {
            globalThis.gc?.()
            peak = Math.max(peak, process.memoryUsage().heapUsed)
          }
        }
        if (count !== rows) throw new Error(`${count} rows`)
      })
      ratios.push(one / merged)
      growth = Math.max(growth, (peak - before) / 2 ** 20)
    }
    await whole.end()
    return [
      {
        name: 'merge-rate',
        value: median(ratios),
        unit: 'x',
        against: 'one server by pg-cursor: at least 0.8',
        samples: 5,
      },
      { name: 'merge-heap', value: growth, unit: 'MB', against: 'nothing: at most 64', samples: 5 },
    ]
  },
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

async function readCursor(client: pg.Client): Promise<void> {
  const cursor = client.query(new Cursor<{ id: number }>('select * from events order by id', []))
  let count = 0
  for (;;) {
    const read = await cursor.read(chunk)
    if (read.length === 0) break
    count += read.length
  }
  await cursor.close()
  if (count !== rows) throw new Error(`${count} rows`)
}
