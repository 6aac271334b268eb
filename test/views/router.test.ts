// Views and rollups on every shard, read through the router: the same answers as the same views on one PostgreSQL.
import { createFleet, defineSchema, type Fleet, inspectKeysOfFleet, type ShardKey, sharded } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter } from '@shardwright/shard-router'
import { createViewManager, defineRollup, defineView, type ViewManager } from '@shardwright/view-manager'
import fc from 'fast-check'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface Database {
  payments: { user_id: ShardKey<string>; id: number; category: string; amount: string | null; at: Date }
  spending: {
    user_id: ShardKey<string>
    category: string
    total: string | null
    counted: string
    largest: string | null
  }
  spenders: { user_id: ShardKey<string>; total: string | null }
  per_month: { user_id: ShardKey<string>; bucket: Date; total: string | null; payments: string }
}

const schema = defineSchema<Database>()({
  tables: {
    payments: sharded('user_id'),
    spending: sharded('user_id'),
    spenders: sharded('user_id'),
    per_month: sharded('user_id'),
  },
})

const spending = defineView<Database>()({
  name: 'spending',
  query: (db) =>
    db
      .selectFrom('payments')
      .groupBy(['user_id', 'category'])
      .select(({ fn }) => [
        'user_id',
        'category',
        fn.sum<string | null>('amount').as('total'),
        fn.count<string>('amount').as('counted'),
        fn.max('amount').as('largest'),
      ]),
  uniqueOn: ['user_id', 'category'],
  family: 'user_id',
})
const spenders = defineView<Database>()({
  name: 'spenders',
  query: (db) =>
    db
      .selectFrom('spending')
      .groupBy('user_id')
      .select(({ fn }) => ['user_id', fn.sum<string | null>('total').as('total')]),
  uniqueOn: ['user_id'],
})
const perMonth = defineRollup<Database>()({
  name: 'per_month',
  source: 'payments',
  time: 'at',
  bucket: 'month',
  keys: ['user_id'],
  measures: { total: { sum: 'amount' }, payments: { count: true } },
})

let cluster: LocalCluster
let router: ReturnType<typeof open>
let onePool: pg.Pool
let one: Kysely<Database>
let oneFleet: Fleet
let managers: { shards: ViewManager; one: ViewManager }
const open = () => createShardRouter({ schema, topology: { hash: 'postgres', ...cluster.topologyInput() } })

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 3, databasePerShard: true })
  const url = await cluster.shard('shard-1').createDatabase('one')
  oneFleet = createFleet({ shards: [{ id: 'one', url }], Client: pg.Client })
  onePool = new pg.Pool({ connectionString: url, max: 2, options: '-c TimeZone=UTC' })
  one = new Kysely<Database>({ dialect: new PostgresDialect({ pool: onePool }) })
  for (const shard of [...cluster.fleet().shards, ...oneFleet.shards]) {
    await using connection = await shard.connect()
    await connection.script(`create table payments (user_id text, id int, category text not null, amount numeric,
      at timestamptz not null, primary key (user_id, id))`)
  }
  router = open()
  const definitions = { schema, views: [spenders, spending], rollups: [perMonth] }
  managers = {
    shards: createViewManager({ fleet: router.fleet, ...definitions }),
    one: createViewManager({ fleet: oneFleet, ...definitions }),
  }
  await managers.shards.install()
  await managers.one.install()
  await router.ready()
  await write(1, 120)
}, 180_000)

afterAll(async () => {
  await router?.close()
  await onePool?.end()
  await cluster?.stop()
}, 60_000)

/** The same rows through the router and into the one PostgreSQL; some amounts are NULL, some scales differ. */
async function write(from: number, to: number): Promise<void> {
  const amounts = ['1.1', '2.00', null, '0.003', '-7']
  const rows = Array.from({ length: to - from + 1 }, (_, at) => ({
    user_id: `u${(from + at) % 17}`,
    id: from + at,
    category: ['food', 'rent', 'fun'][(from + at) % 3] as string,
    amount: amounts[(from + at) % 5] as string | null,
    at: new Date(Date.UTC(2026, (from + at) % 4, 3)),
  }))
  await one.insertInto('payments').values(rows).execute()
  for (const row of rows) await router.db.insertInto('payments').values(row).execute()
}

async function refresh(): Promise<void> {
  for (const manager of [managers.shards, managers.one]) {
    expect(new Set((await manager.refresh()).map(({ outcome }) => outcome))).toEqual(new Set(['refreshed']))
  }
}

const questions: Record<string, (db: Kysely<Database>) => Promise<unknown>> = {
  'the rows of a view': (db) => db.selectFrom('spending').selectAll().orderBy('user_id').orderBy('category').execute(),
  'the rows of a view over a view': (db) => db.selectFrom('spenders').selectAll().orderBy('user_id').execute(),
  'sums of sums, an average from sum and count, a maximum of maxima': (db) =>
    db
      .selectFrom('spending')
      .groupBy('category')
      .select(({ fn }) => [
        'category',
        fn.sum('total').as('total'),
        sql<string>`sum(total) / sum(counted)`.as('average'),
        fn.max('largest').as('largest'),
      ])
      .orderBy('category')
      .execute(),
  'the top of a view': (db) =>
    db
      .selectFrom('spenders')
      .selectAll()
      .orderBy('total', (order) => order.desc().nullsLast())
      .orderBy('user_id')
      .limit(5)
      .execute(),
  'a rollup by month': (db) =>
    db
      .selectFrom('per_month')
      .groupBy('bucket')
      .select(({ fn }) => ['bucket', fn.sum('total').as('total'), fn.sum('payments').as('payments')])
      .orderBy('bucket')
      .execute(),
}

describe('views read through the router', () => {
  it('give what the same views give on one PostgreSQL, after the first refresh and after the next', async () => {
    await refresh()
    for (const [name, ask] of Object.entries(questions))
      expect(await ask(router.fanOut()), name).toEqual(await ask(one))
    await write(121, 150)
    await router.db.deleteFrom('payments').where('user_id', '=', 'u3').execute()
    await one.deleteFrom('payments').where('user_id', '=', 'u3').execute()
    // Not refreshed: the rows of before, on the shards as in one place.
    for (const [name, ask] of Object.entries(questions))
      expect(await ask(router.fanOut()), name).toEqual(await ask(one))
    await refresh()
    for (const [name, ask] of Object.entries(questions))
      expect(await ask(router.fanOut()), name).toEqual(await ask(one))
    expect(await router.fanOut().selectFrom('spenders').selectAll().where('user_id', '=', 'u3').execute()).toEqual([])
  })

  it('equal the views of one PostgreSQL after any writes', async () => {
    const user = fc.integer({ min: 0, max: 11 }).map((number) => `u${number}`)
    const category = fc.constantFrom('food', 'rent', 'fun', 'new', "o'dd")
    const amount = fc.oneof(
      fc.constant(null),
      fc.constantFrom('0', '0.10', '-0.1', '1e3', '99999999999999999999.5', 'NaN'),
      fc.integer({ min: -500, max: 500 }).map((cents) => (cents / 100).toFixed(2)),
    )
    const at = fc.integer({ min: 0, max: 23 }).map((month) => new Date(Date.UTC(2025, month, 1 + month)))
    const write = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('insert' as const), user, category, amount, at }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('amount' as const), user, category, amount }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), user, category, at }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), user }) },
    )
    type Write = typeof write extends fc.Arbitrary<infer Value> ? Value : never
    let id = 10_000
    const apply = async (db: Kysely<Database>, one: Write, own: number) => {
      switch (one.kind) {
        case 'insert':
          await db
            .insertInto('payments')
            .values({ user_id: one.user, id: own, category: one.category, amount: one.amount, at: one.at })
            .execute()
          return
        case 'amount':
          await db
            .updateTable('payments')
            .set({ amount: one.amount })
            .where('user_id', '=', one.user)
            .where('category', '=', one.category)
            .execute()
          return
        case 'move':
          await db
            .updateTable('payments')
            .set({ category: one.category, at: one.at })
            .where('user_id', '=', one.user)
            .where(sql<boolean>`id % 3 = 0`)
            .execute()
          return
        case 'delete':
          await db.deleteFrom('payments').where('user_id', '=', one.user).execute()
      }
    }
    await fc.assert(
      fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 25 }), async (writes) => {
        for (const one_ of writes) {
          id++
          await apply(router.db, one_, id)
          await apply(one, one_, id)
        }
        await refresh()
        for (const [name, ask] of Object.entries(questions))
          expect(await ask(router.fanOut()), name).toEqual(await ask(one))
      }),
      // What was written stays: a failure is not made smaller, it is shown with its seed.
      { numRuns: 8, endOnFailure: true },
    )
  })

  it('goes to one shard by the key, alone and joined with its tables', async () => {
    const query = (db: Kysely<Database>) =>
      db
        .selectFrom('spending as s')
        .innerJoin('payments as p', (join) =>
          join.onRef('p.user_id', '=', 's.user_id').onRef('p.category', '=', 's.category'),
        )
        .where('s.user_id', '=', 'u5')
        .select(['p.id', 's.total'])
        .orderBy('p.id')
    const plan = await router.explain(query(router.db))
    expect(plan.shards).toHaveLength(1)
    expect(await query(router.db).execute()).toEqual(await query(one).execute())
  })

  it('tells the oldest moment of all shards', async () => {
    await managers.shards.refresh()
    const status = (await managers.shards.status()).filter(({ view }) => view === 'spending')
    const oldest = Math.min(...status.map(({ refreshedAt }) => refreshedAt?.getTime() ?? Number.NaN))
    expect(status).toHaveLength(3)
    expect((await managers.shards.oldestRefreshedAt('spending'))?.getTime()).toBe(oldest)
    await using connection = await router.fleet.shards[2]!.connect()
    await connection.query(
      "update shardwright.views set refreshed_at = refreshed_at - interval '1 hour', as_of = as_of - interval '1 hour'",
    )
    const older = await managers.shards.oldestRefreshedAt('spending')
    expect(older?.getTime()).toBe((status[2]?.refreshedAt?.getTime() ?? 0) - 3_600_000)
  })

  it('has keys of the same type as its tables', async () => {
    const { byTable } = await inspectKeysOfFleet(router.fleet, schema)
    expect(byTable.get('spending')).toBe('text')
  })
})
