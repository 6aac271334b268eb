import { citusAvailability } from '@shardwright/local-cluster'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FestivalCluster, onServer, routerOn, startFestivalCluster } from './cluster-fixture.ts'

const { available } = await citusAvailability()

describe.skipIf(!available)('statements over shards that Citus refuses or answers otherwise', () => {
  let cluster: FestivalCluster
  let router: ReturnType<typeof routerOn>

  beforeAll(async () => {
    cluster = await startFestivalCluster(`
      insert into wallets (festival_id, id, user_id, balance)
        select 'f' || f, id, id, f % 3 from generate_series(0, 11) f, generate_series(1, 3) id;
      insert into transactions (festival_id, id, wallet_id, amount, stand)
        select 'f' || f, n, n, 10, case n when 1 then 'bar' else 'food' end from generate_series(0, 5) f, generate_series(1, 2) n;
      insert into festivals (name) select 'f' || n from generate_series(0, 2) n;`)
    router = routerOn(cluster.database)
    await router.ready()
  })
  afterAll(async () => {
    await router?.close()
    await cluster?.citus.stop()
  })

  const byStand = (db: ReturnType<typeof router.fanOut>) =>
    db
      .selectFrom('transactions as t')
      .select(['t.stand', sql<string>`sum(t.amount)`.as('total')])
      .where('t.amount', '>', 5)
      .groupBy(sql`rollup(t.stand)`)
      .orderBy('t.stand')
  const totals = [
    { stand: 'bar', total: '60' },
    { stand: 'food', total: '60' },
    { stand: null, total: '120' },
  ]

  it('brings the rows of the tables to one node, where PostgreSQL computes the rest', async () => {
    for (let run = 0; run < 2; run++) expect(await byStand(router.fanOut()).execute()).toEqual(totals)
    const streamed = []
    for await (const row of byStand(router.fanOut()).stream(1)) streamed.push(row)
    expect(streamed).toEqual(totals)
    const { merge, statements } = await router.explain(byStand(router.fanOut()))
    expect(merge).toEqual([
      'the rows that each table gives are brought to one node, which computes the rest',
      expect.stringMatching(/^because: Citus does not run this: .*ROLLUP/),
    ])
    expect(statements).toMatchObject([
      { shard: 'coordinator', sql: expect.stringMatching(/amount" > \$1.* offset 0\)/) },
    ])
  })

  it('asks outside a transaction, so that a refusal does not end it', async () => {
    await using own = routerOn(cluster.database)
    await own.transaction({ crossShard: 'atomic', fanOut: true }).execute(async (trx) => {
      const line = { festival_id: 'f0', id: 9, wallet_id: 1, amount: 100, stand: 'bar' }
      await trx.insertInto('transactions').values(line).execute()
      expect((await byStand(trx as never).execute())[0]).toEqual({ stand: 'bar', total: '160' })
      await trx.deleteFrom('transactions').where('festival_id', '=', 'f0').where('id', '=', 9).execute()
    })
    expect(await byStand(own.fanOut()).execute()).toEqual(totals)
  })

  it('gives FETCH ... WITH TIES whole, and one group for the keys that an outer join leaves NULL', async () => {
    const poorest = router.fanOut().selectFrom('wallets').select('festival_id').where('id', '=', 1)
    const ties = await poorest.orderBy('balance').fetch(1, 'with ties').execute()
    expect(ties.map((row) => row.festival_id).sort()).toEqual(['f0', 'f3', 'f6', 'f9'])
    const grouped = router
      .fanOut()
      .selectFrom('wallets as w')
      .leftJoin('transactions as t', (join) =>
        join.onRef('t.festival_id', '=', 'w.festival_id').onRef('t.wallet_id', '=', 'w.id'),
      )
      .select(['t.festival_id as f', ({ fn }) => fn.countAll<string>().as('count')])
      .groupBy('t.festival_id')
      .orderBy('f', (own) => own.desc().nullsFirst())
    expect(await grouped.execute()).toEqual([
      { f: null, count: '24' },
      ...['f5', 'f4', 'f3', 'f2', 'f1', 'f0'].map((f) => ({ f, count: '2' })),
    ])
  })

  it('runs recursive CTEs over rows that it reads first', async () => {
    const walk = (db: ReturnType<typeof router.fanOut>, from: number) =>
      db
        .withRecursive('walk', (own) =>
          own
            .selectFrom('wallets')
            .select(['festival_id as f', 'id'])
            .where('id', '=', from)
            .unionAll((again) =>
              again
                .selectFrom('walk')
                .innerJoin('wallets as w', (join) =>
                  join.onRef('w.festival_id', '=', 'walk.f').on('w.id', '=', sql<number>`walk.id + 1`),
                )
                .select(['w.festival_id as f', 'w.id']),
            ),
        )
        .selectFrom('walk')
        .select(['id', ({ fn }) => fn.countAll<string>().as('count')])
        .groupBy('id')
        .orderBy('id')
    const expected = [1, 2, 3].map((id) => ({ id, count: '12' }))
    for (let run = 0; run < 2; run++) expect(await walk(router.fanOut(), 1).execute()).toEqual(expected)
    expect(await walk(router.fanOut(), 3).execute()).toEqual(expected.slice(2))
    const streamed = []
    for await (const row of walk(router.fanOut(), 2).stream()) streamed.push(row)
    expect(streamed).toEqual(expected.slice(1))
    const trx = await router.fanOut().startTransaction().execute()
    try {
      await trx.deleteFrom('wallets').where('festival_id', '=', 'f0').execute()
      expect((await walk(trx as never, 1).execute())[0]).toEqual({ id: 1, count: '11' })
    } finally {
      await trx.rollback().execute()
    }
    expect(String(await router.explain(walk(router.fanOut(), 1)))).toMatch(/recursive CTEs are only supported/)
    const few = walk(router.fanOut({ maxRows: 5 }), 1)
    await expect(few.execute()).rejects.toMatchObject({ code: 'MERGE_ROWS_EXCEEDED' })
  })

  it('reads the source of a MERGE first where it has functions that are not immutable', async () => {
    const merge = (db: ReturnType<typeof router.fanOut>, note: string) =>
      db
        .mergeInto('wallets as w')
        .using(
          (own) =>
            own
              .selectFrom('wallets as other')
              .innerJoin('transactions as t', (join) =>
                join.onRef('t.festival_id', '=', 'other.festival_id').onRef('t.id', '=', 'other.id'),
              )
              .select(['other.festival_id', 'other.id', 't.stand'])
              .where('other.created_at', '>', sql<Date>`now() - interval '1 hour'`)
              .as('s'),
          (join) => join.onRef('s.festival_id', '=', 'w.festival_id').onRef('s.id', '=', 'w.id'),
        )
        .whenMatchedAnd('s.stand', '=', 'bar')
        .thenUpdateSet({ note })
    expect(String(await router.explain(merge(router.fanOut(), 'first')))).toMatch(/source are read first/)
    expect((await merge(router.fanOut(), 'first').executeTakeFirst()).numChangedRows).toBe(6n)
    const trx = await router.fanOut().startTransaction().execute()
    await trx.deleteFrom('transactions').where('festival_id', '=', 'f0').execute()
    expect((await merge(trx as never, 'second').executeTakeFirst()).numChangedRows).toBe(5n)
    await trx.rollback().execute()
    const noted = router.fanOut().selectFrom('wallets').where('note', '=', 'first')
    expect(await noted.select(({ fn }) => fn.countAll<string>().as('count')).execute()).toEqual([{ count: '6' }])
    await router.fanOut().updateTable('wallets').set({ note: null }).execute()
  })

  it('joins two uses of a CTE that is not to be materialized whole', async () => {
    const pairs = await router
      .fanOut()
      .with(
        (cte) => cte('own').notMaterialized(),
        (db) => db.selectFrom('wallets').select(['id', 'balance']).where('id', '<', 4),
      )
      .selectFrom('own as a')
      .innerJoin('own as b', 'b.balance', 'a.balance')
      .select(({ fn }) => fn.countAll<string>().as('count'))
      .execute()
    expect(pairs).toEqual([{ count: '432' }])
  })

  it('keeps the conditions of each arm apart where both were made from one query', async () => {
    const base = router.fanOut().selectFrom('wallets').select('festival_id')
    const either = base.where('festival_id', '=', 'f1').where('id', '=', 1)
    const or = base.where('balance', '=', '2').orderBy('balance').fetch(1, 'with ties')
    const rows = await router
      .fanOut()
      .selectFrom(either.unionAll((eb) => eb.parens(or)).as('both'))
      .select('festival_id')
      .orderBy('festival_id')
      .execute()
    expect(rows.map((row) => row.festival_id)).toEqual(
      ['f1', ...['f11', 'f2', 'f5', 'f8'].flatMap((id) => [id, id, id])].sort(),
    )
  })

  it('gives the values of ON CONFLICT and RETURNING to Citus as text: it loses parameters there', async () => {
    const copies = await router
      .fanOut()
      .insertInto('wallets')
      .columns(['festival_id', 'id', 'user_id', 'balance'])
      .expression((eb) =>
        eb.selectFrom('wallets').select(['festival_id', 'id', 'user_id', 'balance']).orderBy('id').limit(36),
      )
      .onConflict((oc) =>
        oc
          .columns(['festival_id', 'id'])
          .doUpdateSet({ note: "it's" })
          .where('wallets.festival_id', 'in', ['f1', 'f2'])
          .where('wallets.id', '<', 3),
      )
      .returning((eb) => ['festival_id', 'id', eb(eb.ref('user_id'), '+', 7).as('more')])
      .execute()
    expect(copies.toSorted((a, b) => a.festival_id.localeCompare(b.festival_id) || a.id - b.id)).toEqual([
      { festival_id: 'f1', id: 1, more: 8 },
      { festival_id: 'f1', id: 2, more: 9 },
      { festival_id: 'f2', id: 1, more: 8 },
      { festival_id: 'f2', id: 2, more: 9 },
    ])
    const noted = router.fanOut().selectFrom('wallets').where('note', '=', "it's")
    expect(await noted.select(({ fn }) => fn.countAll<string>().as('count')).execute()).toEqual([{ count: '4' }])
  })

  it('refuses more rows than the cluster allows, and what Citus refuses in either form with its own first words', async () => {
    const database = cluster.database.url.split('/').at(-1) as string
    await onServer(cluster.database.url, `alter database "${database}" set citus.max_intermediate_result_size = '1kB'`)
    const long = { festival_id: 'f0', id: 99, user_id: 1, balance: '9', note: 'x'.repeat(20_000) }
    await router.db.insertInto('wallets').values(long).execute()
    try {
      await using own = routerOn(cluster.database)
      const all = own.fanOut().selectFrom('wallets').selectAll().orderBy('user_id').fetch(1, 'with ties')
      await expect(all.execute()).rejects.toMatchObject({
        code: 'MERGE_ROWS_EXCEEDED',
        hint: /citus\.max_intermediate_result_size/,
      })
    } finally {
      await onServer(cluster.database.url, `alter database "${database}" reset citus.max_intermediate_result_size`)
    }
    const locked = router.fanOut().selectFrom('wallets').selectAll().where('id', '>', 1).forUpdate()
    for (let run = 0; run < 2; run++) {
      await expect(locked.execute()).rejects.toMatchObject({ code: 'CITUS_UNSUPPORTED', message: /FOR UPDATE/ })
    }
  })
})
