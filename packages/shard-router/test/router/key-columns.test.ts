import { defineSchema, KeyError, type ShardKey, sharded } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { afterAll, beforeAll, expect, it } from 'vitest'

interface Database {
  items: { k: ShardKey<string>; id: number }
}

const schema = defineSchema<Database>()({ tables: { items: sharded('k') } })
let cluster: LocalCluster

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 2, databasePerShard: true, icu: true })
})

afterAll(async () => {
  await cluster?.stop()
})

async function withKeyColumn<T>(
  definition: string,
  work: (router: ReturnType<typeof createShardRouter<typeof schema>>) => Promise<T>,
): Promise<T> {
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(
      `drop table if exists items; create extension if not exists citext;
       create collation if not exists nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
       create table items (k ${definition}, id int)`,
    )
  }
  await using router = createShardRouter({ schema, topology: { hash: 'postgres', ...cluster.topologyInput() } })
  return await work(router)
}

for (const [definition, fault] of [
  ['text', 'nullable'],
  ['numeric not null', 'type numeric'],
  ['float8 not null', 'type double precision'],
  ['citext not null', 'type citext'],
  ['char(8) not null', 'type character'],
  ['text collate nocase not null', 'non-deterministic'],
  ['timestamptz(3) not null', '3 digits'],
] as const) {
  it(`refuses a key column ${definition} before any statement runs`, async () => {
    await withKeyColumn(definition, async (router) => {
      const error = await router.db
        .selectFrom('items')
        .selectAll()
        .where('k', '=', '1')
        .execute()
        .catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'KEY_COLUMN_UNSUITABLE', hint: expect.stringContaining('NOT NULL') })
      expect(String(error)).toContain(fault)
    })
  })
}

it('names a table that a shard does not have', async () => {
  await withKeyColumn('text not null', async (router) => {
    await using connection = await cluster.fleet().shards[1]!.connect()
    await connection.script('drop table items')
    await expect(router.ready()).rejects.toMatchObject({
      code: 'CATALOG_MISMATCH',
      details: { shard: 'shard-2', table: 'items' },
    })
  })
})

it('refuses keys that are none, and keys that would be cut when stored', async () => {
  await withKeyColumn('bigint not null', async (router) => {
    const find = (k: unknown) =>
      router.db
        .selectFrom('items')
        .selectAll()
        .where('k', '=', k as string)
        .execute()
    for (const bad of [2 ** 53, 1.5, 'abc', {}, true, Number.NaN])
      await expect(find(bad)).rejects.toBeInstanceOf(KeyError)
    expect(await find(' 042 ')).toEqual([])
    expect(await find(7n)).toEqual([])
  })
  await withKeyColumn('varchar(3) not null', async (router) => {
    await expect(router.db.insertInto('items').values({ k: 'abc  ', id: 1 }).execute()).rejects.toBeInstanceOf(KeyError)
    await router.db.insertInto('items').values({ k: 'abc', id: 1 }).execute()
    expect(await router.db.selectFrom('items').select('id').where('k', '=', 'abc').execute()).toEqual([{ id: 1 }])
  })
})

it('names an unreachable shard, without its password', async () => {
  const [first] = cluster.topologyInput().shards
  await using router = createShardRouter({
    schema,
    topology: { hash: 'postgres', shards: [first!, { id: 'gone', primary: 'postgres://app:hunter2@127.0.0.1:1/app' }] },
  })
  const error = await router.ready().catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'SHARD_UNREACHABLE' })
  expect(JSON.stringify(error) + String(error) + (error as Error).stack).not.toContain('hunter2')
  expect(String(error)).toContain('gone')
})
