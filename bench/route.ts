import { defineSchema, reference, type ShardKey, sharded } from '@shardwright/core'
import { startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { type CompiledQuery, sql } from 'kysely'
import type { Bench } from './support/bench-result.ts'
import { median } from './support/median.ts'

interface Row {
  festival_id: ShardKey<number>
  id: number
  other_id: number
}

interface Database {
  a: Row
  b: Row
  c: Row
  d: Row
  users: { id: number; name: string }
}

const schema = defineSchema<Database>()({
  tables: {
    a: sharded('festival_id'),
    b: sharded('festival_id'),
    c: sharded('festival_id'),
    d: sharded('festival_id'),
    users: reference(),
  },
})

/**
 * Planning alone, in microseconds a statement: of a point query whose shape is known, and of a join that is new. `door`:
 * what `router.for(key)` costs before anything is asked of it.
 */
export const bench: Bench = {
  name: 'route',
  async run() {
    await using cluster = await startLocalCluster({ shards: 4, databasePerShard: true })
    for (const shard of cluster.fleet().shards) {
      await using connection = await shard.connect()
      for (const table of ['a', 'b', 'c', 'd']) {
        await connection.script(
          `create table ${table} (festival_id int not null, id int, other_id int, primary key (festival_id, id))`,
        )
      }
      await connection.script('create table users (id int primary key, name text)')
    }
    await using router = createShardRouter({ schema, topology: { hash: 'postgres', ...cluster.topologyInput() } })
    await router.ready()
    const point = Array.from({ length: 200 }, (_, key) =>
      router.db.selectFrom('a').selectAll().where('festival_id', '=', key).where('id', '=', key).compile(),
    )
    const join = (turn: number): CompiledQuery =>
      router.db
        .selectFrom('a')
        .innerJoin('b', (on) => on.onRef('b.festival_id', '=', 'a.festival_id').onRef('b.id', '=', 'a.other_id'))
        .innerJoin('c', (on) => on.onRef('c.festival_id', '=', 'b.festival_id').onRef('c.id', '=', 'b.other_id'))
        .leftJoin('d', (on) => on.onRef('d.festival_id', '=', 'c.festival_id').onRef('d.id', '=', 'c.other_id'))
        .innerJoin('users', 'users.id', 'a.other_id')
        .select(['a.id', 'users.name', sql.lit(turn).as('turn')])
        .where('c.festival_id', '=', turn)
        .where('d.id', '>', 3)
        .compile()
    const known = microseconds(7, 20_000, (turn) => router.shardsOf(point[turn % point.length] as CompiledQuery))
    let shape = 0
    let fresh: CompiledQuery[] = []
    const unknown = microseconds(
      7,
      500,
      (turn) => router.shardsOf(fresh[turn] as CompiledQuery),
      () => {
        fresh = Array.from({ length: 500 }, () => join(shape++))
      },
    )
    const door = microseconds(7, 20_000, (turn) => router.for({ festival_id: turn }))
    return [
      { name: 'route-known', value: known, unit: 'us', against: 'nothing: at most 3', samples: 7 },
      { name: 'route-join', value: unknown, unit: 'us', against: 'nothing: at most 60', samples: 7 },
      { name: 'route-door', value: door, unit: 'us', against: 'nothing: at most 3', samples: 7 },
    ]
  },
}

/** Median over the rounds of the mean time of a call; one round goes before. */
function microseconds(
  rounds: number,
  calls: number,
  call: (turn: number) => unknown,
  prepare: () => void = () => {},
): number {
  const round = (): number => {
    prepare()
    const start = performance.now()
    for (let turn = 0; turn < calls; turn++) call(turn)
    return ((performance.now() - start) * 1000) / calls
  }
  round()
  return median(Array.from({ length: rounds }, round))
}
