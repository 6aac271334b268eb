import type { LocalCluster } from '@shardwright/local-cluster'
import { RoutingError, type ShardRouter } from '@shardwright/shard-router'
import { CamelCasePlugin, CompiledQuery, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { festivalIds, routerOf, type schema, startFestival } from './festival-fixture.ts'

let cluster: LocalCluster
let router: ShardRouter<typeof schema>

beforeAll(async () => {
  cluster = await startFestival()
  router = routerOf(cluster)
  const rows = festivalIds.flatMap((festival_id, f) =>
    Array.from({ length: 5 }, (_, id) => ({
      festival_id,
      id,
      user_id: id,
      balance: `${f}.50`,
      note: id % 2 ? 'odd' : null,
    })),
  )
  await router.db.insertInto('wallets').values(rows).execute()
  await router.db
    .insertInto('transactions')
    .values(
      rows.map(({ festival_id, id }) => ({ festival_id, id, wallet_id: id, amount: id * 10, stand: `s${id % 2}` })),
    )
    .execute()
  await router.db
    .insertInto('tickets')
    .values(festivalIds.map((festival, id) => ({ user_id: id, id, festival })))
    .execute()
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(RoutingError)
  expect((error as RoutingError).hint).toBeTruthy()
  return (error as RoutingError).code
}

describe('reads', () => {
  it('sends a keyed query to the one shard of its key', async () => {
    const query = router.db.selectFrom('wallets').select('id').where('festival_id', '=', 'f3').orderBy('id')
    const explained = await router.explain(query, { fanOut: false })
    expect(explained.kind).toBe('one')
    expect(explained.shards).toHaveLength(1)
    expect(await query.execute()).toEqual([0, 1, 2, 3, 4].map((id) => ({ id })))
  })

  it('refuses advisory locks of the session, also in raw text, and takes those of the transaction', async () => {
    const wallet = router.db.selectFrom('wallets').where('festival_id', '=', 'f3').where('id', '=', 1)
    const lock = (name: string) => wallet.select(({ fn, val }) => fn(name, [val(7)]).as('locked'))
    expect(await codeOf(lock('pg_advisory_lock').execute())).toBe('SESSION_STATE')
    expect(await codeOf(lock('pg_catalog.pg_try_advisory_lock_shared').execute())).toBe('SESSION_STATE')
    expect(await codeOf(wallet.select(sql`pg_try_advisory_lock(7)`.as('locked')).execute())).toBe('SESSION_STATE')
    await router.db.transaction().execute(async (trx) => {
      const taken = wallet.select(({ fn, val }) => fn('pg_try_advisory_xact_lock', [val(7)]).as('locked'))
      expect(await trx.executeQuery(taken)).toMatchObject({ rows: [{ locked: true }] })
    })
  })

  it('refuses a keyless query on db, and answers it under fanOut', async () => {
    expect(await codeOf(router.db.selectFrom('wallets').selectAll().execute())).toBe('SHARD_KEY_REQUIRED')
    expect(await router.fanOut().selectFrom('wallets').selectAll().execute()).toHaveLength(60)
  })

  it('refuses a join that is not on the key, and joins on it', async () => {
    const loose = router.fanOut().selectFrom('wallets as w').innerJoin('tickets as t', 't.id', 'w.id').select('w.id')
    expect(await codeOf(loose.execute())).toBe('CROSS_SHARD_JOIN')
    const joined = await router.db
      .selectFrom('wallets as w')
      .innerJoin('transactions as t', (join) =>
        join.onRef('t.festival_id', '=', 'w.festival_id').onRef('t.wallet_id', '=', 'w.id'),
      )
      .select(({ fn }) => fn.sum<string>('t.amount').as('total'))
      .where('t.festival_id', '=', 'f1')
      .executeTakeFirstOrThrow()
    expect(joined).toEqual({ total: '100' })
  })

  it('asks nobody where no key can match', async () => {
    const none = router.db.selectFrom('wallets').selectAll().where('festival_id', 'in', [])
    expect(await none.execute()).toEqual([])
    expect((await router.explain(none, { fanOut: false })).shards).toEqual([])
    const nulls = router.db.selectFrom('wallets').select(({ fn }) => fn.countAll<string>().as('n'))
    expect(await nulls.where('festival_id', '=', sql.lit(null) as never).execute()).toEqual([{ n: '0' }])
  })

  it('does not believe a raw OR beside the key', async () => {
    const torn = router.db
      .selectFrom('wallets')
      .select('id')
      .where('festival_id', '=', 'f1')
      .where(sql<boolean>`id = 1 or true`)
    expect(await codeOf(torn.execute())).toBe('SHARD_KEY_REQUIRED')
    const closed = router.db
      .selectFrom('wallets')
      .select('id')
      .where('festival_id', '=', 'f1')
      .where(sql<boolean>`(id = 1 or id = 2)`)
    expect(await closed.execute()).toHaveLength(2)
  })

  it('refuses keys and counts that PostgreSQL would refuse, with typed errors', async () => {
    const of = (value: unknown, type: 'integer' | 'bigint') =>
      router.db
        .selectFrom('tickets')
        .select('id')
        .where('user_id', '=', (eb) => eb.cast<number>(eb.val(value), type))
        .execute()
    await expect(of(1.5, 'bigint')).rejects.toMatchObject({ code: 'INVALID_SHARD_KEY' })
    await expect(of(3_000_000_000, 'integer')).rejects.toMatchObject({ code: 'INVALID_SHARD_KEY' })
    expect(await of(3_000_000_000, 'bigint')).toEqual([])
    const wallets = router.fanOut().selectFrom('wallets').select('id').orderBy('id')
    for (const count of [1.5, 'many', Number.POSITIVE_INFINITY, 2n ** 63n]) {
      await expect(wallets.offset(count as number).execute()).rejects.toMatchObject({ code: 'UNSUPPORTED_MERGE' })
    }
  })

  it('refuses raw statements, raw subqueries and unknown tables', async () => {
    expect(await codeOf(router.db.executeQuery(CompiledQuery.raw('select 1')))).toBe('RAW_STATEMENT')
    const hidden = router.db.selectFrom('wallets').select('id').where('festival_id', '=', 'f1')
    expect(await codeOf(hidden.where(sql<boolean>`exists (select 1 from tickets)`).execute())).toBe(
      'RAW_SQL_NOT_UNDERSTOOD',
    )
    expect(
      await codeOf(
        router.db
          .selectFrom('nowhere' as 'wallets')
          .selectAll()
          .execute(),
      ),
    ).toBe('UNKNOWN_TABLE')
    expect(await codeOf(router.db.schema.createTable('x').addColumn('id', 'integer').execute())).toBe(
      'UNSUPPORTED_STATEMENT',
    )
  })

  it('streams over all shards in order', async () => {
    const ids: number[] = []
    const query = router
      .fanOut()
      .selectFrom('wallets')
      .select(['id', 'festival_id'])
      .orderBy('id', 'desc')
      .orderBy('festival_id')
    for await (const row of query.stream(7)) ids.push(row.id)
    expect(ids).toHaveLength(60)
    expect(ids).toEqual([...ids].sort((a, b) => b - a))
  })

  it('works with CamelCasePlugin: the planner sees physical names', async () => {
    const camel = routerOf(cluster, { plugins: [new CamelCasePlugin()] })
    try {
      const rows = await camel.db
        .selectFrom('wallets')
        .select('user_id' as 'id')
        .where('festivalId' as 'festival_id', '=', 'f2')
        .execute()
      expect(rows[0]).toHaveProperty('userId')
    } finally {
      await camel.close()
    }
  })

  it('introspects the first shard', async () => {
    const tables = await router.db.introspection.getTables()
    expect(tables.map((table) => table.name)).toContain('wallets')
  })

  it('explains on the server', async () => {
    const keyed = await router.db.selectFrom('wallets').selectAll().where('festival_id', '=', 'f1').explain()
    expect(JSON.stringify(keyed)).toContain('wallets')
    const spread = await router.fanOut().selectFrom('wallets').selectAll().explain()
    expect(JSON.stringify(spread)).toContain('shard-4')
  })
})

describe('router.for', () => {
  it('keeps every level with the key', async () => {
    const own = router.for({ festival_id: 'f5' })
    expect(
      await own
        .selectFrom('wallets')
        .select(({ fn }) => fn.countAll<string>().as('n'))
        .execute(),
    ).toEqual([{ n: '5' }])
    const left = await own
      .selectFrom('wallets as w')
      .leftJoin('transactions as t', 't.id', 'w.id')
      .select(({ fn }) => fn.countAll<string>().as('n'))
      .execute()
    expect(left).toEqual([{ n: '5' }])
    const sub = await own
      .selectFrom('festivals')
      .select((eb) =>
        eb
          .selectFrom('wallets')
          .select(({ fn }) => fn.countAll<string>().as('n'))
          .as('n'),
      )
      .execute()
    expect(sub.every((row) => row.n === '5')).toBe(true)
  })

  it('refuses rows of another key and tables of another family', async () => {
    const own = router.for({ festival_id: 'f5' })
    expect(
      await codeOf(own.insertInto('wallets').values({ festival_id: 'f6', id: 99, user_id: 1, balance: '0' }).execute()),
    ).toBe('CONFINED_TO_KEY')
    expect(await codeOf((own as never as typeof router.db).selectFrom('tickets').selectAll().execute())).toBe(
      'CONFINED_TO_KEY',
    )
  })

  it('updates and deletes rows of its key only', async () => {
    const own = router.for({ festival_id: 'f7' })
    expect((await own.updateTable('wallets').set({ note: 'mine' }).executeTakeFirstOrThrow()).numUpdatedRows).toBe(5n)
    const noted = await router
      .fanOut()
      .selectFrom('wallets')
      .select('festival_id')
      .where('note', '=', 'mine')
      .distinct()
      .execute()
    expect(noted).toEqual([{ festival_id: 'f7' }])
  })
})

describe('writes', () => {
  it('returns the rows of a split INSERT in input order, with one moment for all', async () => {
    const rows = festivalIds.map((festival_id, index) => ({
      festival_id,
      id: 100 + index,
      user_id: index,
      balance: '1',
    }))
    const returned = await router.db
      .insertInto('wallets')
      .values(rows)
      .returning(['festival_id', 'id', 'created_at'])
      .execute()
    expect(returned.map(({ festival_id, id }) => ({ festival_id, id }))).toEqual(
      rows.map(({ festival_id, id }) => ({ festival_id, id })),
    )
    expect(new Set(returned.map((row) => row.created_at.getTime())).size).toBe(1)
    const deleted = await router.db
      .deleteFrom('wallets')
      .where('festival_id', 'in', festivalIds)
      .where('id', '>=', 100)
      .executeTakeFirstOrThrow()
    expect(deleted.numDeletedRows).toBe(12n)
  })

  it('writes the rows of each call, when only the first call has planned the INSERT', async () => {
    const insert = (user_id: number) =>
      router.db
        .insertInto('wallets')
        .values(festivalIds.map((festival_id) => ({ festival_id, id: user_id, user_id, balance: String(user_id) })))
        .execute()
    // The moment of created_at is added to each row, for which the rows of the plan are rewritten.
    for (const user_id of [7_001, 7_002, 7_003]) await insert(user_id)
    const rows = await router
      .fanOut()
      .selectFrom('wallets')
      .select(({ fn }) => ['user_id', 'balance', fn.countAll<string>().as('n')])
      .where('id', '>', 7_000)
      .groupBy(['user_id', 'balance'])
      .orderBy('user_id')
      .execute()
    expect(rows).toEqual(
      [7_001, 7_002, 7_003].map((user_id) => ({ user_id, balance: `${user_id}.00`, n: String(festivalIds.length) })),
    )
    await router.fanOut().deleteFrom('wallets').where('id', '>', 7_000).execute()
  })

  it('inserts all rows or none', async () => {
    const rows = festivalIds.map((festival_id) => ({ festival_id, id: 200, user_id: 0, balance: '1' }))
    await expect(
      router.db
        .insertInto('wallets')
        .values([...rows, { ...(rows[0] as (typeof rows)[0]), id: 0 }])
        .execute(),
    ).rejects.toMatchObject({ code: '23505' })
    const left = await router.fanOut().selectFrom('wallets').select('id').where('id', '=', 200).execute()
    expect(left).toEqual([])
  })

  it('refuses a missing, NULL or computed key, and a changed one', async () => {
    const one = { festival_id: 'f1', id: 300, user_id: 1, balance: '1' }
    expect(
      await codeOf(
        router.db
          .insertInto('wallets')
          .values({ ...one, festival_id: null as never })
          .execute(),
      ),
    ).toBe('SHARD_KEY_MISSING')
    expect(
      await codeOf(
        router.db
          .insertInto('wallets')
          .values({ ...one, festival_id: sql<string>`lower('F1')` })
          .execute(),
      ),
    ).toBe('SHARD_KEY_MISSING')
    expect(
      await codeOf(
        router.db
          .insertInto('wallets')
          .values({ id: 1, balance: '1' } as never)
          .execute(),
      ),
    ).toBe('SHARD_KEY_MISSING')
    const moved = router.db
      .updateTable('wallets')
      .set({ festival_id: 'f2' } as never)
      .where('festival_id', '=', 'f1')
    expect(await codeOf(moved.execute())).toBe('SHARD_KEY_UPDATE')
  })

  it('writes every copy of a reference table alike, also under concurrency', async () => {
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        router.db
          .insertInto('festivals')
          .values({ name: `n${index}` })
          .execute(),
      ),
    )
    const copies = await Promise.all(
      cluster.shards.map(({ id }) => router.onShard(id).selectFrom('festivals').selectAll().orderBy('id').execute()),
    )
    expect(copies[0]).toHaveLength(8)
    for (const copy of copies) expect(copy).toEqual(copies[0])
    const updated = await router.db
      .updateTable('festivals')
      .set({ name: sql<string>`name || '!'` })
      .executeTakeFirstOrThrow()
    expect(updated.numUpdatedRows).toBe(8n)
  })

  it('keeps a single table on its shard', async () => {
    await router.db.insertInto('audit').values({ id: 1, line: 'x' }).execute()
    expect(await router.db.selectFrom('audit').selectAll().execute()).toEqual([{ id: 1, line: 'x' }])
    expect(await router.onShard('shard-2').selectFrom('audit').selectAll().execute()).toEqual([])
  })
})

describe('transactions', () => {
  it('opens on the shard of its first statement and refuses a second one', async () => {
    const other = await otherShardThan('f1')
    const work = router.db.transaction().execute(async (trx) => {
      await trx.updateTable('wallets').set({ balance: '77' }).where('festival_id', '=', 'f1').execute()
      await trx.updateTable('wallets').set({ balance: '77' }).where('festival_id', '=', other).execute()
    })
    expect(await codeOf(work)).toBe('CROSS_SHARD_TRANSACTION')
    const rows = await router.db.selectFrom('wallets').select('balance').where('festival_id', '=', 'f1').execute()
    expect(rows.some((row) => row.balance === '77.00')).toBe(false)
  })

  it('commits over shards when asked to', async () => {
    const other = await otherShardThan('f1')
    await router.transaction({ crossShard: 'atomic' }).execute(async (trx) => {
      await trx.updateTable('wallets').set({ balance: '5' }).where('festival_id', '=', 'f1').execute()
      await trx.updateTable('wallets').set({ balance: '6' }).where('festival_id', '=', other).execute()
    })
    const rows = await router.db
      .selectFrom('wallets')
      .select('balance')
      .distinct()
      .where('festival_id', 'in', ['f1', other])
      .orderBy('balance')
      .execute()
    expect(rows).toEqual([{ balance: '5.00' }, { balance: '6.00' }])
  })

  it('has savepoints and controlled transactions', async () => {
    const trx = await router.db.startTransaction().execute()
    await trx.updateTable('wallets').set({ note: 'a' }).where('festival_id', '=', 'f2').execute()
    const after = await trx.savepoint('s').execute()
    await after.updateTable('wallets').set({ note: 'b' }).where('festival_id', '=', 'f2').execute()
    await after.rollbackToSavepoint('s').execute()
    await trx.commit().execute()
    const rows = await router.db
      .selectFrom('wallets')
      .select('note')
      .distinct()
      .where('festival_id', '=', 'f2')
      .execute()
    expect(rows).toEqual([{ note: 'a' }])
  })
})

async function otherShardThan(festival: string): Promise<string> {
  const shardOf = async (id: string) =>
    (await router.explain(router.db.selectFrom('wallets').selectAll().where('festival_id', '=', id))).shards[0]
  const own = await shardOf(festival)
  for (const id of festivalIds) if ((await shardOf(id)) !== own) return id
  throw new Error('all festivals are on one shard')
}
