import { locate, noTelemetry } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { failureOf } from '../pool/pool-fixture.ts'
import { routerOf, startUsers } from './lookup-fixture.ts'

describe('lookups', () => {
  let cluster: LocalCluster
  let router: ReturnType<typeof routerOf>

  beforeAll(async () => {
    cluster = await startUsers()
    router = routerOf(cluster)
    await router.ready()
  })
  afterAll(async () => {
    await router?.close()
    await cluster?.stop()
  })

  const user = (user_id: number, email: string | null, more: { id?: number; city?: string; name?: string } = {}) => ({
    user_id,
    id: more.id ?? 1,
    email,
    city: more.city ?? null,
    name: more.name ?? null,
  })
  const entries = async (table: 'users_by_email' | 'users_by_city' | 'orders_by_code') => {
    const found: string[] = []
    for (const shard of cluster.fleet().shards) {
      await using connection = await shard.connect()
      const { rows } = await connection.query<{ line: string }>(
        `select concat_ws(' ', ${table === 'orders_by_code' ? 'code' : table.slice(9)}, user_id) as line from ${table}`,
      )
      found.push(...rows.map(({ line }) => line))
    }
    return found.sort()
  }

  const shardOfUser = (value: number) => locate(router.topology, { family: 'user_id', type: 'int4', value }).shard
  const shardOfEntry = (value: string) =>
    locate(router.topology, { family: 'users_by_email', type: 'text', value }).shard

  beforeEach(async () => {
    await router.fanOut().deleteFrom('users').execute()
    expect(await entries('users_by_email')).toEqual([])
    expect(await entries('users_by_city')).toEqual([])
    expect(await entries('orders_by_code')).toEqual([])
  })

  test('a row is found by a unique value, on one shard', async () => {
    for (let id = 1; id <= 8; id++)
      await router.db
        .insertInto('users')
        .values(user(id, `u${id}@x`))
        .execute()
    const query = router.db.selectFrom('users').selectAll().where('email', '=', 'u3@x')
    expect(await query.execute()).toEqual([user(3, 'u3@x')])
    const explained = await router.explain(query, { fanOut: false })
    expect(explained.kind).toBe('one')
    expect(explained.shards).toHaveLength(1)
    expect(explained.reason).toContain('by lookup users_by_email')
    expect(await router.db.selectFrom('users').selectAll().where('email', '=', 'nobody').execute()).toEqual([])
    const { n } = await router.db
      .selectFrom('users')
      .select(({ fn }) => fn.countAll<string>().as('n'))
      .where('email', 'in', ['u1@x', 'u2@x', 'u7@x', 'nobody'])
      .executeTakeFirstOrThrow()
    expect(Number(n)).toBe(3)
  })

  test.each(['read committed', 'repeatable read'] as const)(
    'a row that goes before its entry has come takes the entry along (%s)',
    async (isolationLevel) => {
      const steps: { reached: (shard: string) => void; held: Promise<void> }[] = []
      const onStep = async ({ step, shard }: { readonly step: string; readonly shard: string }) => {
        const current = steps.at(-1)
        if (step !== 'before commit prepared' || current === undefined) return
        current.reached(shard)
        await current.held
      }
      await using slow = routerOf(cluster, { atomic: { onStep } })
      // Which of the two shards decides is not fixed: it has to be the row's, so that the entry comes later.
      let tried = false
      for (let id = 1; id <= 40 && !tried; id++) {
        const email = ['a', 'b', 'c', 'd', 'e']
          .map((letter) => `${letter}${id}@x`)
          .find((value) => shardOfEntry(value) !== shardOfUser(id))!
        const held = Promise.withResolvers<void>()
        const reached = Promise.withResolvers<string>()
        steps.push({ reached: reached.resolve, held: held.promise })
        const inserting = slow.db.insertInto('users').values(user(id, email)).execute()
        if ((await reached.promise) === router.topology.shards[shardOfUser(id)]!.id) {
          held.resolve()
          await inserting
          continue
        }
        tried = true
        let over = false
        const deleting = router
          .transaction({ crossShard: 'atomic', isolationLevel })
          .execute((trx) => trx.deleteFrom('users').where('user_id', '=', id).execute())
          .catch((error: unknown) => error)
          .finally(() => {
            over = true
          })
        await using watcher = await cluster.fleet().shards[shardOfEntry(email)]!.connect()
        const waits = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        while (!over && (await watcher.query(waits)).rowCount === 0) await new Promise(setImmediate)
        held.resolve()
        await inserting
        const answer = await deleting
        if (isolationLevel === 'repeatable read') expect(answer).toMatchObject({ code: '40001' })
      }
      expect(tried).toBe(true)
      const rows = await router.fanOut().selectFrom('users').select(['email', 'user_id']).execute()
      expect(await entries('users_by_email')).toEqual(rows.map((row) => `${row.email} ${row.user_id}`).sort())
    },
  )

  test('joins follow the key that a lookup gives', async () => {
    await router.db
      .insertInto('users')
      .values([user(1, 'a@x'), user(2, 'b@x')])
      .execute()
    await router.db
      .insertInto('orders')
      .values([
        { user_id: 1, id: 1, code: 'A1', total: 5 },
        { user_id: 2, id: 1, code: 'B1', total: 7 },
      ])
      .execute()
    const query = router.db
      .selectFrom('users as u')
      .innerJoin('orders as o', 'o.user_id', 'u.user_id')
      .select(['u.email', 'o.total'])
    expect(await query.where('u.email', '=', 'b@x').execute()).toEqual([{ email: 'b@x', total: 7 }])
    expect(await query.where('o.code', '=', 'A1').execute()).toEqual([{ email: 'a@x', total: 5 }])
    expect((await router.explain(query.where('o.code', '=', 'A1'))).kind).toBe('one')
    await expect(query.where('u.name', '=', 'x').execute()).rejects.toMatchObject({ code: 'SHARD_KEY_REQUIRED' })
  })

  test('entries follow every kind of write', async () => {
    await router.db
      .insertInto('users')
      .values([1, 2, 3, 4, 5, 6].map((id) => user(id, `u${id}@x`, { city: 'Ulm' })))
      .execute()
    await router.db.updateTable('users').set({ email: 'new@x' }).where('user_id', '=', 1).execute()
    await router.db.updateTable('users').set({ email: 'old@x' }).where('email', '=', 'u2@x').execute()
    await router.db.deleteFrom('users').where('email', '=', 'u3@x').execute()
    await router
      .fanOut()
      .updateTable('users')
      .set({ city: sql<string>`'C' || user_id` })
      .where('user_id', '>', 4)
      .execute()
    await router.db
      .insertInto('users')
      .values(user(4, 'upsert@x'))
      .onConflict((on) => on.columns(['user_id', 'id']).doUpdateSet(({ ref }) => ({ email: ref('excluded.email') })))
      .execute()
    expect(await entries('users_by_email')).toEqual(['new@x 1', 'old@x 2', 'u5@x 5', 'u6@x 6', 'upsert@x 4'])
    expect(await entries('users_by_city')).toEqual(['C5 5', 'C6 6', 'Ulm 1', 'Ulm 2', 'Ulm 4'])
    await router.db
      .mergeInto('users as t')
      .using('users as s', (on) => on.onRef('s.user_id', '=', 't.user_id').on('t.user_id', '=', 5))
      .whenMatchedAnd('t.email', 'is not', null)
      .thenUpdateSet({ email: 'merged@x' })
      .execute()
    await router
      .fanOut()
      .insertInto('users')
      .columns(['user_id', 'id', 'email', 'city'])
      .expression((eb) =>
        eb
          .selectFrom('users')
          .select(({ ref }) => [
            sql<number>`user_id + 10`.as('user_id'),
            ref('id').as('id'),
            sql<string>`'copy-' || email`.as('email'),
            'city',
          ])
          .where('user_id', '<', 3),
      )
      .execute()
    expect(await entries('users_by_email')).toEqual([
      'copy-new@x 11',
      'copy-old@x 12',
      'merged@x 5',
      'new@x 1',
      'old@x 2',
      'u6@x 6',
      'upsert@x 4',
    ])
    await router.moveKey({ family: 'user_id', from: 1, to: 77 })
    expect(await router.db.selectFrom('users').select('user_id').where('email', '=', 'new@x').execute()).toEqual([
      { user_id: 77 },
    ])
    // A cascade is no statement of ours.
    await router.db.insertInto('orders').values({ user_id: 2, id: 1, code: 'X', total: 1 }).execute()
    await router.db.deleteFrom('users').where('user_id', '=', 2).execute()
    expect(await entries('orders_by_code')).toEqual([])
  })

  test('a value is unique over all shards, and the error is that of one PostgreSQL', async () => {
    await router.db.insertInto('users').values(user(1, 'a@x')).execute()
    for (let id = 2; id <= 6; id++) {
      const error = await failureOf(router.db.insertInto('users').values(user(id, 'a@x')).execute())
      expect(error).toMatchObject({
        code: '23505',
        table: 'users',
        constraint: 'users_by_email',
        detail: 'Key (email)=(a@x) already exists.',
      })
      expect(error).toHaveProperty('shard')
    }
    await router.db.insertInto('users').values(user(9, 'b@x')).execute()
    await expect(
      router.db.updateTable('users').set({ email: 'a@x' }).where('user_id', '=', 9).execute(),
    ).rejects.toMatchObject({ code: '23505' })
    await expect(
      router.db
        .insertInto('users')
        .values([user(20, 'c@x'), user(21, 'c@x')])
        .execute(),
    ).rejects.toMatchObject({ code: '23505' })
    expect(await entries('users_by_email')).toEqual(['a@x 1', 'b@x 9'])
    // NULLs are no duplicates.
    await router.db
      .insertInto('users')
      .values([user(30, null), user(31, null)])
      .execute()
    const n = await router.fanOut().selectFrom('users').select('user_id').where('email', 'is', null).execute()
    expect(n).toHaveLength(2)
  })

  test('a value that changes hands in one statement, or in one transaction', async () => {
    await router.db
      .insertInto('users')
      .values([user(1, 'a@x'), user(2, 'b@x')])
      .execute()
    await router
      .fanOut()
      .updateTable('users')
      .set({ email: sql<string>`case email when 'a@x' then 'b@x' else 'a@x' end` })
      .execute()
    expect(await router.db.selectFrom('users').select('user_id').where('email', '=', 'a@x').execute()).toEqual([
      { user_id: 2 },
    ])
    await router.transaction({ crossShard: 'atomic' }).execute(async (trx) => {
      await trx.deleteFrom('users').where('user_id', '=', 2).execute()
      await trx.insertInto('users').values(user(3, 'a@x')).execute()
      // Its own entries are seen before they are committed.
      expect(await trx.selectFrom('users').select('user_id').where('email', '=', 'a@x').execute()).toEqual([
        { user_id: 3 },
      ])
    })
    expect(await entries('users_by_email')).toEqual(['a@x 3', 'b@x 1'])
  })

  test('a savepoint takes entries back with their rows', async () => {
    const trx = await router.startTransaction({ crossShard: 'atomic' }).execute()
    await trx.insertInto('users').values(user(1, 'a@x')).execute()
    const saved = await trx.savepoint('s').execute()
    await saved.updateTable('users').set({ email: 'b@x' }).where('user_id', '=', 1).execute()
    await saved
      .insertInto('users')
      .values([2, 3, 4, 5].map((id) => user(id, `${id}@x`)))
      .execute()
    await saved.rollbackToSavepoint('s').execute()
    await trx.insertInto('users').values(user(6, 'b@x')).execute()
    await trx.commit().execute()
    expect(await entries('users_by_email')).toEqual(['a@x 1', 'b@x 6'])
  })

  test('a deferred trigger may not change a lookup when nobody looks any more', async () => {
    for (const shard of cluster.fleet().shards) {
      await using connection = await shard.connect()
      await connection.script(`create function late() returns trigger language plpgsql as $$ begin
        update users set email = new.email || '!' where user_id = new.user_id and email = new.email; return null; end $$;
        create constraint trigger late after insert on users deferrable initially deferred for each row execute function late()`)
    }
    try {
      await expect(router.db.insertInto('users').values(user(1, 'a@x')).execute()).rejects.toMatchObject({
        code: 'SWL01',
      })
      await expect(
        router.db
          .insertInto('users')
          .values([1, 2, 3, 4, 5, 6].map((id) => user(id, `${id}@x`)))
          .execute(),
      ).rejects.toMatchObject({ code: 'SWL01' })
      expect(await entries('users_by_email')).toEqual([])
    } finally {
      for (const shard of cluster.fleet().shards) {
        await using connection = await shard.connect()
        await connection.script('drop function late() cascade')
      }
    }
  })

  test('a transaction on one shard refuses what needs entries, and does the rest', async () => {
    await router.db.insertInto('users').values(user(1, 'a@x')).execute()
    const insert = router.db.transaction().execute((trx) => trx.insertInto('users').values(user(2, 'b@x')).execute())
    await expect(insert).rejects.toMatchObject({ code: 'LOOKUP_NEEDS_ATOMIC' })
    await router.db.transaction().execute(async (trx) => {
      await trx.updateTable('users').set({ name: 'Ann' }).where('user_id', '=', 1).execute()
      expect(await trx.selectFrom('users').select('name').where('email', '=', 'a@x').execute()).toEqual([
        { name: 'Ann' },
      ])
    })
  })

  test('no key of a lookup can be asked for: its entries are no table of the application', async () => {
    for (const family of ['users_by_email', 'users_by_city']) {
      const key = { [family]: 'a@x' } as never
      const refusal = { code: 'INVALID_OPTIONS', hint: 'Use one of: user_id.' }
      expect(() => router.for(key)).toThrow(expect.objectContaining(refusal))
      const query = router.db.selectFrom('users').selectAll()
      await expect(router.explain(query, { for: key })).rejects.toMatchObject(refusal)
    }
  })

  test('what bypasses the router is refused by the table itself', async () => {
    await router.db.insertInto('users').values(user(1, 'a@x')).execute()
    const shard = router.shardsOf(router.db.selectFrom('users').selectAll().where('user_id', '=', 1).compile())[0]!
    const raw = router.onShard(shard)
    await expect(raw.updateTable('users').set({ email: 'b@x' }).execute()).rejects.toMatchObject({ code: 'SWL01' })
    await expect(sql`truncate users cascade`.execute(raw)).rejects.toMatchObject({ code: 'SWL01' })
    await raw.updateTable('users').set({ name: 'Ann' }).execute()
    expect(await entries('users_by_email')).toEqual(['a@x 1'])
  })

  test('ready() tells of unique indexes that hold on each shard only, unless a lookup covers them', async () => {
    for (const shard of cluster.fleet().shards) {
      await using connection = await shard.connect()
      await connection.script(
        'create unique index users_email_key on users (email); create unique index users_name on users (name)',
      )
    }
    const lines: string[] = []
    const telemetry = { ...noTelemetry, log: (_: string, message: string) => void lines.push(message) }
    const warned = routerOf(cluster, { telemetry })
    try {
      await warned.ready()
      expect(warned.warnings.map(({ code, details }) => [code, details.table, details.columns])).toEqual([
        ['UNIQUE_PER_SHARD', 'users', ['name']],
      ])
      expect(lines.join()).toContain("lookup({ table: 'users', column: 'name', to: 'user_id', unique: true })")
      // The lookup speaks with the name of the constraint that it completes.
      await warned.db
        .insertInto('users')
        .values([1, 2, 3, 4].map((id) => user(id, `${id}@x`)))
        .execute()
      for (const id of [5, 6, 7, 8]) {
        await expect(warned.db.insertInto('users').values(user(id, '1@x')).execute()).rejects.toMatchObject({
          code: '23505',
          constraint: 'users_email_key',
          detail: 'Key (email)=(1@x) already exists.',
        })
      }
      const upsert = (id: number) =>
        warned.db
          .insertInto('users')
          .values(user(id, '1@x'))
          .onConflict((on) => on.column('email').doNothing())
          .execute()
      const failures = await Promise.all(
        [5, 6, 7, 8, 9, 10].map((id) =>
          upsert(id).then(
            () => 'nothing',
            ({ code }) => code,
          ),
        ),
      )
      expect(new Set(failures)).toEqual(new Set(['nothing', 'LOOKUP_CONFLICT']))
      expect(await entries('users_by_email')).toEqual(['1@x 1', '2@x 2', '3@x 3', '4@x 4'])
    } finally {
      await warned.close()
      for (const shard of cluster.fleet().shards) {
        await using connection = await shard.connect()
        await connection.script('drop index users_email_key, users_name')
      }
    }
  })
})
