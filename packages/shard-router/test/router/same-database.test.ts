import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { defineSchema, type ShardKey, sharded } from '@shardwright/core'
import { startLocalCluster } from '@shardwright/local-cluster'
import { expect, test } from 'vitest'
import { createShardRouter } from '../../src/index.ts'

interface Database {
  items: { user_id: ShardKey<string>; n: number }
}

const schema = defineSchema<Database>()({ tables: { items: sharded('user_id') } })

/** Another address of the same server. */
async function alias(url: string) {
  const { port } = new URL(url)
  const sockets = new Set<Socket>()
  const proxy = createServer((from) => {
    const to = connect(Number(port), '127.0.0.1')
    for (const socket of [from, to]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    from.pipe(to)
    to.pipe(from)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const other = new URL(url)
  other.port = String((proxy.address() as AddressInfo).port)
  return {
    url: other.href,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
      proxy.close()
    },
  }
}

test('one database under two addresses is not two shards, though no identity was installed', async () => {
  await using cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  const urls = cluster.shards.map(({ url }) => url)
  using second = await alias(urls[0]!)
  const routerOf = (...primaries: string[]) =>
    createShardRouter({
      schema,
      topology: {
        hash: 'postgres',
        shards: primaries.map((primary, index) => ({ id: `shard-${index + 1}`, primary })),
      },
    })
  const fleet = cluster.fleet('same')
  for (const shard of fleet.shards) {
    await using connection = await shard.connect()
    await connection.script(`create table items (user_id text not null, n int); create schema other;
      create table other.items (user_id text not null, n int)`)
  }
  const doubled = routerOf(urls[0]!, second.url)
  const failure = await doubled.ready().catch((error: unknown) => error)
  await doubled.close()
  expect(failure).toMatchObject({ code: 'WRONG_SHARD', details: { shard: 'shard-2' } })
  // Neither two databases of one server nor two schemas of one database are one.
  const good = [routerOf(...urls), routerOf(urls[0]!, `${second.url}?options=-c%20search_path%3Dother`)]
  for (const router of good) {
    expect(await router.fanOut().selectFrom('items').selectAll().execute()).toEqual([])
    await router.close()
  }
})
