import { defineSchema, type ShardKey, sharded } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter, type ShardRouter } from '@shardwright/shard-router'
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface Database {
  notes: { owner: ShardKey<number>; a: string; b: string; n: number }
  turned: { owner: ShardKey<number>; a: string; b: string; n: number }
  typed: { owner: ShardKey<number>; n: number }
}

const schema = defineSchema<Database>()({
  tables: { notes: sharded('owner'), turned: sharded('owner'), typed: sharded('owner') },
})
const owners = [0, 1, 2, 3, 4, 5, 6, 7]
let cluster: LocalCluster
let router: ShardRouter<typeof schema>
let all: Kysely<Database>

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  await onShards((shard) => [
    'create table notes (owner int primary key, a text, b text, n int)',
    `create table turned (${shard === 0 ? 'owner int primary key, a text, b text, n int' : 'b text, n int, a text, owner int primary key'})`,
    `create table typed (owner int primary key, n ${shard === 0 ? 'int' : 'bigint'})`,
  ])
  router = createShardRouter({ schema, topology: { hash: 'postgres', ...cluster.topologyInput() } })
  all = router.fanOut()
  const rows = owners.map((owner) => ({ owner, a: `a${owner}`, b: `b${owner}`, n: 0 - owner }))
  await router.db.insertInto('notes').values(rows).execute()
  await router.db.insertInto('turned').values(rows).execute()
  await router.db
    .insertInto('typed')
    .values(rows.map(({ owner, n }) => ({ owner, n })))
    .execute()
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

async function onShards(statements: (shard: number) => readonly string[]): Promise<void> {
  for (const [index, shard] of cluster.fleet().shards.entries()) {
    await using connection = await shard.connect()
    for (const statement of statements(index)) await connection.script(statement)
  }
}

const columnsDiffer = { code: 'COLUMNS_DIFFER', hint: expect.stringContaining('Name the columns') }

describe('tables whose columns stand in another order on one shard', () => {
  const turned = () => all.selectFrom('turned').selectAll()

  it.each([
    ['merged by a number', () => turned().orderBy('n')],
    ['combined by a text', () => turned().orderBy('a')],
    ['DISTINCT ON', () => turned().distinctOn('a').orderBy('a')],
    ['a subquery that is cut', () => all.selectFrom(turned().orderBy('n').limit(5).as('some')).select('a')],
  ])('are not merged by position: %s', async (_, query) => {
    await expect(query().execute()).rejects.toMatchObject(columnsDiffer)
  })

  it('are not streamed by position', async () => {
    const read = async () => {
      for await (const row of turned().orderBy('n').stream(2)) expect(row).toBeUndefined()
    }
    await expect(read()).rejects.toMatchObject(columnsDiffer)
  })

  it('are read when the query names them, or each shard reads its own', async () => {
    const named = await all.selectFrom('turned').select(['owner', 'a', 'b', 'n']).orderBy('n', 'desc').execute()
    expect(named).toEqual(owners.map((owner) => ({ owner, a: `a${owner}`, b: `b${owner}`, n: 0 - owner })))
    const unordered = await turned().execute()
    expect(unordered.toSorted((x, y) => x.owner - y.owner)).toEqual(named)
  })

  it('nor is a column of two types', async () => {
    await expect(all.selectFrom('typed').select('n').orderBy('n').execute()).rejects.toMatchObject(columnsDiffer)
  })
})

describe('a table that is changed before the catalog is read again', () => {
  const ordered = () => all.selectFrom('notes').selectAll().orderBy('n', 'desc')
  const each = () => all.selectFrom('notes').distinctOn('n').selectAll().orderBy('n')

  it('is read on while the columns in question are where they were', async () => {
    await onShards(() => ['alter table notes add column extra int default 0'])
    expect(await ordered().execute()).toHaveLength(owners.length)
    expect(await each().execute()).toHaveLength(owners.length)
  })

  it('is not ordered by another column in its place', async () => {
    // `n` was the fourth; now `extra` is.
    await onShards(() => ['alter table notes drop column a'])
    await expect(each().execute()).rejects.toMatchObject(columnsDiffer)
    await expect(ordered().execute()).rejects.toMatchObject(columnsDiffer)

    await router.refresh()
    expect((await ordered().execute()).map(({ owner }) => owner)).toEqual(owners)
    expect(await each().execute()).toHaveLength(owners.length)
  })
})
