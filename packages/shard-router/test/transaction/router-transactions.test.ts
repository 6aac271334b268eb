import {
  defineSchema,
  defineTopology,
  locate,
  ReadContext,
  runInReadContext,
  type ShardKey,
  sharded,
} from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createShardRouter } from '../../src/shard-router.ts'
import { failureOf } from '../pool/pool-fixture.ts'

interface Database {
  users: { id: ShardKey<number>; name: string }
  tasks: { user_id: ShardKey<number>; id: number; parent_id: number | null; title: string }
  notes: { user_id: ShardKey<number>; id: number; task_id: number; body: unknown }
}

const schema = defineSchema<Database>()({
  tables: {
    notes: sharded('user_id'),
    tasks: sharded('user_id'),
    users: sharded('id', { family: 'user_id' }),
  },
})

const tables = `drop table if exists notes, tasks, users;
 create table users (id int primary key, name varchar(20) not null, code char(5), at timestamptz, loud text generated always as (upper(name)) stored);
 create table tasks (user_id int references users on delete cascade, id int generated always as identity, parent_id int, title text, tags text[], price numeric,
   primary key (user_id, id), foreign key (user_id, parent_id) references tasks);
 create table notes (user_id int, id int, task_id int, body jsonb, raw bytea, primary key (user_id, id), foreign key (user_id, task_id) references tasks)`

describe('the router over several shards', () => {
  let cluster: LocalCluster
  let router: ReturnType<typeof createShardRouter<typeof schema>>
  const [from, to] = [1, 2]

  const shardOf = (value: number) => locate(router.topology, { family: 'user_id', type: 'int4', value }).shard
  const run = async (shard: number, text: string) => {
    const client = new pg.Client(cluster.shards[shard]!.url)
    await client.connect()
    try {
      return (await client.query(text)).rows as Record<string, unknown>[]
    } finally {
      await client.end()
    }
  }
  /** A key on another shard than `key`. */
  const elsewhere = (key: number) => {
    for (let other = key + 1; ; other++) if (shardOf(other) !== shardOf(key)) return other
  }

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 3, databasePerShard: true })
    for (const shard of cluster.shards.keys()) await run(shard, tables)
    const topology = defineTopology({ id: 'router-transactions', hash: 'postgres', ...cluster.topologyInput() })
    router = createShardRouter({ schema, topology, recovery: { intervalMs: 100, graceMs: 0 } })
  })
  afterAll(async () => {
    await router.close()
    await cluster.stop()
  })
  beforeEach(async () => {
    for (const shard of cluster.shards.keys()) await run(shard, 'truncate users, tasks, notes')
  })

  const fill = async (key: number) =>
    await run(
      shardOf(key),
      `insert into users values (${key}, 'Ada, "A" (x)', 'ab', '2026-03-01 12:00:00.123456+02');
       insert into tasks overriding system value values (${key}, 7, null, null, '{"a b",null,"c,d"}', 1.500), (${key}, 8, 7, 'x\\y''z', '{}', 'NaN');
       insert into notes values (${key}, 1, 8, '{"a": null, "b": [1.0]}', '\\x00ff')`,
    )
  const everything = async (key: number) => {
    const shard = shardOf(key)
    const rows: unknown[] = []
    for (const [table, column] of [
      ['users', 'id'],
      ['tasks', 'user_id'],
      ['notes', 'user_id'],
    ]) {
      rows.push(
        await run(
          shard,
          `select to_jsonb(t) - '${column}' as row, t::text ~ '^\\(${key},' as mine from ${table} t where ${column} = ${key} order by 1`,
        ),
      )
    }
    return rows
  }

  test('moveKey carries every row, of every type, through foreign keys, to another shard or within one', async () => {
    const near = [...Array(500).keys()].slice(2).find((key) => shardOf(key) === shardOf(from))!
    for (const target of [elsewhere(from), near]) {
      await fill(from)
      const before = await everything(from)
      expect(await router.moveKey({ family: 'user_id', from, to: target })).toMatchObject({
        rows: { users: 1, tasks: 2, notes: 1 },
      })
      expect(await everything(target)).toEqual(before)
      expect(await everything(from)).toEqual([[], [], []])
    }
  })

  test('moveKey moves nothing when the new key is taken, the keys are the same or the family is not known', async () => {
    const target = elsewhere(from)
    await fill(from)
    await fill(target)
    const before = [await everything(from), await everything(target)]
    expect((await failureOf(router.moveKey({ family: 'user_id', from, to: target }))).code).toBe('23505')
    expect((await failureOf(router.moveKey({ family: 'user_id', from, to: from }))).code).toBe('MOVE_KEY_UNSUITABLE')
    expect((await failureOf(router.moveKey({ family: 'nobody', from, to }))).code).toBe('MOVE_KEY_UNSUITABLE')
    expect([await everything(from), await everything(target)]).toEqual(before)
  })

  test('moveKey refuses when the shards have other columns', async () => {
    const target = elsewhere(from)
    await fill(from)
    await run(shardOf(target), 'alter table notes add column extra int')
    expect((await failureOf(router.moveKey({ family: 'user_id', from, to: target }))).code).toBe('MOVE_KEY_UNSUITABLE')
    await run(shardOf(target), 'alter table notes drop column extra')
    expect(await router.moveKey({ family: 'user_id', from, to: target })).toMatchObject({ rows: { notes: 1 } })
  })

  test('moveKey refuses when rows that the schema does not know would go with the old ones', async () => {
    const target = elsewhere(from)
    await fill(from)
    const shard = shardOf(from)
    for (const action of ['cascade', 'set null']) {
      await run(shard, `create table logins (user_id int references users on delete ${action})`)
      await run(shard, `insert into logins values (${from})`)
      const refusal = await failureOf(router.moveKey({ family: 'user_id', from, to: target }))
      expect(refusal).toMatchObject({ code: 'MOVE_KEY_UNSUITABLE', message: expect.stringContaining('logins') })
      expect(await run(shard, 'select user_id from logins')).toEqual([{ user_id: from }])
      await run(shard, 'drop table logins')
    }
  })

  test('a read after moveKey, under its token, sees what it moved', async () => {
    const target = elsewhere(from)
    await fill(from)
    const context = new ReadContext()
    await runInReadContext(context, () => router.moveKey({ family: 'user_id', from, to: target }))
    const shards = cluster.shards.map(({ id }) => id)
    expect(context.tokens.map(({ shard }) => shard).sort()).toEqual(
      [shards[shardOf(from)], shards[shardOf(target)]].sort(),
    )
  })

  test('a split INSERT that fails on one shard leaves nothing on the others', async () => {
    const keys = [from, elsewhere(from)]
    await run(shardOf(keys[1]!), `insert into users values (${keys[1]}, 'taken')`)
    const insert = router.db.insertInto('users').values(keys.map((id) => ({ id, name: 'new' })))
    expect((await failureOf(insert.execute())).code).toBe('23505')
    expect(await run(shardOf(from), `select * from users where id = ${from}`)).toEqual([])
    const result = await router.fanOut().updateTable('users').set({ name: sql`name || '!'` }).executeTakeFirst()
    expect(result.numUpdatedRows).toBe(1n)
  })

  test('what another process left prepared is finished in the background', async () => {
    const gid = `sw1:router-transactions:019aa3c1-5b7e-7a12-8c3d-0f1e2d3c4b5a:shard-1@${await incarnation()}:shard-2`
    await run(1, `begin; insert into users values (990, 'left'); prepare transaction '${gid}'`)
    const keys = [from, elsewhere(from)]
    await router.db
      .insertInto('users')
      .values(keys.map((id) => ({ id, name: 'new' })))
      .execute()
    await expect
      .poll(() => run(1, `select gid from pg_prepared_xacts where gid = '${gid}'`), { timeout: 30_000 })
      .toEqual([])
    expect(await run(1, 'select * from users where id = 990')).toEqual([])
  })

  const incarnation = async () => {
    const [row] = await run(
      0,
      `select (select system_identifier::text from pg_control_system()) || ':' || lower(substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)) as name`,
    )
    return (row as { name: string }).name
  }
})
