import type { LocalCluster } from '@shardwright/local-cluster'
import { verifyLookups } from '@shardwright/shard-router'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Database, ddl, routerOf, schema, startUsers } from './lookup-fixture.ts'

type Db = Kysely<Database>

describe('lookups beside one PostgreSQL', () => {
  let cluster: LocalCluster
  let router: ReturnType<typeof routerOf>
  let one: Db

  beforeAll(async () => {
    cluster = await startUsers(3)
    router = routerOf(cluster)
    await router.ready()
    const [shard] = cluster.fleet().shards
    await using connection = await shard!.connect()
    await connection.query('create database one')
    const url = new URL(cluster.shards[0]!.url)
    url.pathname = '/one'
    one = new Kysely<Database>({
      dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url.href, max: 2 }) }),
    })
    // Checked at the end of the statement, as a lookup is.
    for (const statement of ddl('unique deferrable').split(';'))
      if (statement.trim()) await sql.raw(statement).execute(one)
  })
  afterAll(async () => {
    await one?.destroy()
    await router?.close()
    await cluster?.stop()
  })

  for (const seed of [1, 2, 3]) {
    test(`the same answers and the same failures, seed ${seed}`, async () => {
      const pick = picker(seed)
      await router.fanOut().deleteFrom('users').execute()
      await one.deleteFrom('users').execute()
      for (let n = 0; n < 90; n++) {
        const { name, run } = operation(pick)
        const [ours, theirs] = [
          await outcome(run(router.fanOut(), router.transaction({ crossShard: 'atomic', fanOut: true }))),
          await outcome(run(one, one.transaction())),
        ]
        expect([seed, n, name, ours]).toEqual([seed, n, name, theirs])
      }
    })
  }

  test('writers at once leave each value in one row, and every row with its entries', async () => {
    await router.fanOut().deleteFrom('users').execute()
    const failures = new Map<string, number>()
    const worker = async (seed: number) => {
      const pick = picker(seed)
      for (let n = 0; n < 40; n++) {
        const { run } = operation(pick)
        const result = await outcome(run(router.fanOut(), router.transaction({ crossShard: 'atomic', fanOut: true })))
        const code = String((result as { code?: unknown } | null)?.code)
        if (code !== 'undefined') failures.set(code, (failures.get(code) ?? 0) + 1)
      }
    }
    await Promise.all([11, 12, 13, 14, 15, 16].map(worker))
    // What one PostgreSQL says too, and what asks for another try.
    const expected = ['23505', '40P01', 'DEADLOCK_ACROSS_SHARDS', 'LOCK_TIMEOUT_ACROSS_SHARDS', 'LOOKUP_CHANGED']
    expect([...failures.keys()].filter((code) => !expected.includes(code))).toEqual([])
    const checked = await verifyLookups({ fleet: router.fleet, schema, topology: router.topology })
    expect(checked.map(({ missing, stale, duplicates }) => [missing, stale, duplicates])).toEqual([
      [0, 0, []],
      [0, 0, []],
      [0, 0, []],
    ])
    const twice = await router
      .fanOut()
      .selectFrom('users')
      .select('email')
      .where('email', 'is not', null)
      .groupBy('email')
      .having(({ fn }) => fn.countAll(), '>', 1)
      .execute()
    expect(twice).toEqual([])
    const parallel = await Promise.all(
      [31, 32, 33, 34, 35, 36, 37, 38].map((user_id) =>
        outcome(
          router.db.insertInto('users').values({ user_id, id: 1, email: 'prize@x', city: null, name: null }).execute(),
        ),
      ),
    )
    expect(parallel.filter((each) => (each as { code?: unknown }).code === '23505')).toHaveLength(7)
  })

  test('a row that moves from key to key is always found, once', async () => {
    const keys = [100, 101, 102, 103, 104, 105]
    await router.db
      .insertInto('users')
      .values({ user_id: 100, id: 1, email: 'mover@x', city: 'Moved', name: 'm' })
      .execute()
    let moving = true
    const mover = (async () => {
      for (let n = 0; n < 25; n++) await router.moveKey({ family: 'user_id', from: keys[n % 6], to: keys[(n + 1) % 6] })
      moving = false
    })()
    let reads = 0
    const reader = async (column: 'email' | 'city', value: string) => {
      while (moving) {
        expect(await router.db.selectFrom('users').select('name').where(column, '=', value).execute()).toHaveLength(1)
        reads++
      }
    }
    const writer = async () => {
      while (moving) {
        const { numUpdatedRows } = await router.db
          .updateTable('users')
          .set({ name: 'n' })
          .where('email', '=', 'mover@x')
          .executeTakeFirstOrThrow()
        expect(numUpdatedRows).toBe(1n)
      }
    }
    await Promise.all([mover, reader('email', 'mover@x'), writer()])
    expect(reads).toBeGreaterThan(5)
  })
})

async function outcome(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work
  } catch (error) {
    return { code: (error as { code?: unknown }).code }
  }
}

interface Pick {
  number(below: number): number
  of<T>(values: readonly T[]): T
}

function picker(seed: number): Pick {
  let state = seed * 2654435761
  const number = (below: number) => {
    state = (state * 1664525 + 1013904223) % 4294967296
    return Math.floor((state / 4294967296) * below)
  }
  return { number, of: (values) => values[number(values.length)]! }
}

type Transaction = ReturnType<Db['transaction']>

function operation(pick: Pick): { name: string; run: (db: Db, transaction: Transaction) => Promise<unknown> } {
  const emails = ['a', 'b', 'c', 'd', 'e', 'f', 'g', null]
  const email = pick.of(emails)
  const other = pick.of(emails)
  const city = pick.of(['Ulm', 'Rom', null])
  const user = () => ({
    user_id: pick.number(9),
    id: pick.number(2),
    email: pick.of(emails),
    city: pick.of(['Ulm', 'Rom', null]),
    name: 'n',
  })
  const [first, second] = [user(), user()]
  const key = pick.number(9)
  const sorted = async (rows: Promise<object[]>) => (await rows).map((row) => JSON.stringify(row)).sort()
  const affected = async (result: Promise<object[]>) => (await result).map((each) => Object.values(each).map(String))
  const operations: Record<string, (db: Db, transaction: Transaction) => Promise<unknown>> = {
    insert: (db) => affected(db.insertInto('users').values(first).execute()),
    'insert two': (db) =>
      sorted(db.insertInto('users').values([first, second]).returning(['user_id', 'email']).execute()),
    upsert: (db) =>
      affected(
        db
          .insertInto('users')
          .values(first)
          .onConflict((on) => on.columns(['user_id', 'id']).doUpdateSet((eb) => ({ email: eb.ref('excluded.email') })))
          .execute(),
      ),
    'update by key': (db) => affected(db.updateTable('users').set({ email }).where('user_id', '=', key).execute()),
    'update by email': (db) =>
      affected(db.updateTable('users').set({ email: other, city }).where('email', '=', email).execute()),
    'update by city': (db) => affected(db.updateTable('users').set({ city: 'Pau' }).where('city', '=', city).execute()),
    'update some': (db) =>
      affected(
        db
          .updateTable('users')
          .set({ name: 'z', city })
          .where('email', 'in', [email ?? 'a', 'b', 'c'])
          .execute(),
      ),
    'delete by email': (db) => affected(db.deleteFrom('users').where('email', '=', email).execute()),
    'delete by key': (db) => affected(db.deleteFrom('users').where('user_id', '=', key).where('id', '=', 0).execute()),
    'read by email': (db) => sorted(db.selectFrom('users').selectAll().where('email', '=', email).execute()),
    'read some': (db) =>
      sorted(
        db
          .selectFrom('users')
          .selectAll()
          .where('email', 'in', [email ?? 'x', 'a', 'b'])
          .execute(),
      ),
    'read by city': (db) => sorted(db.selectFrom('users').selectAll().where('city', '=', city).execute()),
    'read by both': (db) =>
      sorted(db.selectFrom('users').selectAll().where('city', '=', city).where('email', '=', email).execute()),
    'read either': (db) =>
      sorted(
        db
          .selectFrom('users')
          .selectAll()
          .where((eb) => eb.or([eb('email', '=', email), eb('email', '=', 'c')]))
          .execute(),
      ),
    count: (db) =>
      sorted(
        db
          .selectFrom('users')
          .select(({ fn }) => fn.countAll<string>().as('n'))
          .where('email', '=', email)
          .execute(),
      ),
    join: (db) =>
      sorted(
        db
          .selectFrom('users as u')
          .leftJoin('users as v', (join) => join.onRef('v.user_id', '=', 'u.user_id').on('v.email', '=', other))
          .select(['u.user_id', 'u.id', 'v.email'])
          .where('u.email', '=', email)
          .execute(),
      ),
    'hand over': (_, transaction) =>
      transaction.execute(async (trx) => {
        await trx.deleteFrom('users').where('email', '=', email).execute()
        await trx
          .insertInto('users')
          .values({ ...first, email })
          .execute()
        return await sorted(trx.selectFrom('users').select('user_id').where('email', '=', email).execute())
      }),
  }
  const name = pick.of(Object.keys(operations))
  return { name, run: operations[name]! }
}
