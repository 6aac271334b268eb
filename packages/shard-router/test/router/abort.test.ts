import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import type { ShardRouter } from '@shardwright/shard-router'
import { type InflightQueryAbortStrategy, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ddl, festivalIds, routerOf, type schema } from './festival-fixture.ts'

// At most two connections a shard: one that is not given back is missed by the next statements.
let cluster: LocalCluster
let router: ShardRouter<typeof schema>

/** A statement that lasts, on every row; STABLE, so that it may run on several shards. */
const slowly = `create function slowly(ms double precision) returns int stable language plpgsql as
  $$ begin perform pg_sleep($1 / 1000); return 1; end $$;`

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 3 })
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(ddl + slowly)
  }
  router = routerOf(cluster, { pool: { size: { minimum: 0, maximum: 2, overflow: 0 } } })
  await router.db
    .insertInto('wallets')
    .values(festivalIds.map((festival_id, id) => ({ festival_id, id, user_id: id, balance: '1' })))
    .execute()
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

const strategies: readonly InflightQueryAbortStrategy[] = ['ignore query', 'cancel query', 'kill session']
const enough = new Error('enough')

function abortAfter(ms: number): AbortSignal {
  const controller = new AbortController()
  setTimeout(() => controller.abort(enough), ms)
  return controller.signal
}

/** Statements with the mark that some shard still runs. */
async function running(mark: string): Promise<number> {
  const counts = await Promise.all(
    cluster.fleet().shards.map(async (shard) => {
      await using connection = await shard.connect()
      const rows = await connection.query(
        `select count(*)::int as n from pg_stat_activity
         where query like '%${mark}%' and state = 'active' and pid <> pg_backend_pid()`,
      )
      return (rows as unknown as { n: number }[])[0]?.n ?? 0
    }),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

async function stillWorks(): Promise<void> {
  const counts = await Promise.all(
    Array.from({ length: 6 }, () =>
      router
        .fanOut()
        .selectFrom('wallets')
        .select(({ fn }) => fn.countAll<string>().as('n'))
        .executeTakeFirstOrThrow(),
    ),
  )
  expect(counts.map(({ n }) => n)).toEqual(Array.from({ length: 6 }, () => '12'))
}

describe.each(strategies)('%s', (inflightQueryAbortStrategy) => {
  const mark = inflightQueryAbortStrategy.replace(' ', '_')
  const stops = inflightQueryAbortStrategy !== 'ignore query'

  /** The caller hears at once; the servers stop, if asked to; the connections come back. */
  async function aborted(run: (options: object) => Promise<unknown>): Promise<void> {
    const started = performance.now()
    await expect(run({ signal: abortAfter(150), inflightQueryAbortStrategy })).rejects.toBe(enough)
    expect(performance.now() - started).toBeLessThan(2_000)
    if (stops) await expect.poll(() => running(mark), { timeout: 5_000 }).toBe(0)
    await stillWorks()
  }

  // Each statement would last 3 seconds on a shard, or 0.8 where it is left to end.
  const ms = stops ? 3_000 : 800
  const slow = () => sql<number>`slowly(${sql.lit(ms)})`.as(mark)

  it('a point query', async () => {
    await aborted((options) =>
      router.db.selectFrom('wallets').select(slow()).where('festival_id', '=', 'f1').execute(options),
    )
  })

  it('a fan-out, its groups, and rows that are read first', async () => {
    await aborted((options) => router.fanOut().selectFrom('wallets').select(slow()).limit(1).execute(options))
    await aborted((options) =>
      router
        .fanOut()
        .selectFrom('wallets')
        .select(({ fn }) => [fn.sum('id').as('s'), sql`max(slowly(${sql.lit(ms / 4)}))`.as(mark)])
        .execute(options),
    )
    await aborted((options) =>
      router
        .fanOut()
        .selectFrom('wallets')
        .select('id')
        .where('id', 'in', (eb) =>
          eb
            .selectFrom('wallets as w')
            .select('w.id')
            .where(sql<boolean>`slowly(${sql.lit(ms / 4)}) = 1 /* ${sql.raw(mark)} */`)
            .orderBy('w.id')
            .limit(3),
        )
        .execute(options),
    )
  })

  it('an INSERT and an UPDATE over shards: all of it or nothing', async () => {
    const note = `note of ${mark}`
    await aborted((options) =>
      router
        .fanOut()
        .updateTable('wallets')
        .set({ note: sql<string>`case slowly(${sql.lit(ms / 4)}) when 1 then ${note} end /* ${sql.raw(mark)} */` })
        .execute(options),
    )
    await expect
      .poll(
        async () => {
          const { n } = await router
            .fanOut()
            .selectFrom('wallets')
            .select(({ fn }) => fn.countAll<string>().as('n'))
            .where('note', '=', note)
            .executeTakeFirstOrThrow()
          return Number(n) % 12
        },
        { timeout: 10_000 },
      )
      .toBe(0)
  })

  it('a transaction: its next statement, and its end', async () => {
    const outcome = router
      .for({ festival_id: 'f1' })
      .transaction()
      .execute(async (transaction) => {
        await transaction.updateTable('wallets').set({ note: mark }).execute()
        await transaction
          .selectFrom('wallets')
          .select(slow())
          .execute({ signal: abortAfter(150), inflightQueryAbortStrategy })
      })
    await expect(outcome).rejects.toBe(enough)
    await stillWorks()
    const { note } = await router.db
      .selectFrom('wallets')
      .select('note')
      .where('festival_id', '=', 'f1')
      .executeTakeFirstOrThrow()
    expect(note).not.toBe(mark)
  })

  it('a signal that was aborted before sends nothing', async () => {
    const query = router.fanOut().selectFrom('wallets').select(slow())
    await expect(query.execute({ signal: AbortSignal.abort(enough), inflightQueryAbortStrategy })).rejects.toBe(enough)
    expect(await running(mark)).toBe(0)
  })

  it('many at once leave no connection behind', async () => {
    const queries = Array.from({ length: 12 }, (_, index) =>
      router
        .fanOut()
        .selectFrom('wallets')
        .select(slow())
        .where('id', '=', index)
        .execute({ signal: abortAfter(50 + index * 10), inflightQueryAbortStrategy }),
    )
    const outcomes = await Promise.allSettled(queries)
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    await stillWorks()
  })
})

it('a fan-out that fails on one shard runs on none', async () => {
  const failing = router
    .fanOut()
    .selectFrom('wallets')
    .select(
      sql<number>`case when festival_id = 'f1' then 1 / slowly(100) / (slowly(0) - 1) else slowly(20000) end`.as(
        'fails_fast',
      ),
    )
    .execute()
  const started = performance.now()
  await expect(failing).rejects.toMatchObject({ code: '22012' })
  expect(performance.now() - started).toBeLessThan(5_000)
  await expect.poll(() => running('fails_fast'), { timeout: 5_000 }).toBe(0)
  await stillWorks()
})

describe('streams', () => {
  const rows = () => sql<{ x: number }>`generate_series(1, 2000)`.as<'g'>(sql`g(x)`)
  const streams = {
    'of one shard': () =>
      router.db
        .selectFrom(['wallets', rows()])
        .select(['wallets.id', sql<number>`x`.as('x')])
        .where('festival_id', '=', 'f1'),
    'of all shards': () =>
      router
        .fanOut()
        .selectFrom(['wallets', rows()])
        .select(['wallets.id', sql<number>`x`.as('x')]),
    'in an order': () =>
      router
        .fanOut()
        .selectFrom(['wallets', rows()])
        .select(['wallets.id', sql<number>`x`.as('x')])
        .orderBy('wallets.id')
        .orderBy('x'),
  }

  it.each(Object.keys(streams) as (keyof typeof streams)[])('%s: aborted between two rows', async (name) => {
    for (let turn = 0; turn < 8; turn++) {
      const controller = new AbortController()
      let seen = 0
      const reading = (async () => {
        for await (const _ of streams[name]().stream({ chunkSize: 10, signal: controller.signal })) {
          seen += 1
          if (seen === 25) controller.abort(enough)
        }
      })()
      await expect(reading).rejects.toBe(enough)
      expect(seen).toBeLessThan(40)
    }
    await stillWorks()
  })

  it.each(Object.keys(streams) as (keyof typeof streams)[])('%s: aborted while rows are computed', async (name) => {
    const query = streams[name]().where(sql<boolean>`slowly(case x when 20 then 700 else 0 end) = 1`)
    const reading = (async () => {
      for await (const _ of query.stream({ chunkSize: 5, signal: abortAfter(100) }));
    })()
    await expect(reading).rejects.toBe(enough)
    await stillWorks()
  })
})
