import { defineSchema, type ShardKey, sharded } from '@shardwright/core'
import { startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { sql } from 'kysely'
import { expect, it } from 'vitest'

const schema = defineSchema<{ notes: { owner: ShardKey<number>; day: string } }>()({
  tables: { notes: sharded('owner') },
})

it('a date is read in the order of day and month that the server has, and written as ISO', async () => {
  // What initdb writes in most of Europe.
  await using cluster = await startLocalCluster({
    shards: 2,
    databasePerShard: true,
    settings: { datestyle: 'iso, dmy' },
  })
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script('create table notes (owner int primary key, day date)')
  }
  await using router = createShardRouter({ schema, topology: { hash: 'postgres', ...cluster.topologyInput() } })
  const owners = [1, 2, 3, 4, 5, 6]
  const day = '03/04/2021'
  await router.db.insertInto('notes').values({ owner: 0, day }).execute()
  await router.db
    .insertInto('notes')
    .values(owners.map((owner) => ({ owner, day })))
    .execute()
  const read = router.fanOut().selectFrom('notes').select(sql<string>`notes.day::text`.as('day'))
  expect(await read.execute()).toEqual([0, ...owners].map(() => ({ day: '2021-04-03' })))
  expect(await read.where('day', '=', day).execute()).toHaveLength(7)
})
