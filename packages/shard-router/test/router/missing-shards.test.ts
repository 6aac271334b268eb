import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import type { ShardRouter } from '@shardwright/shard-router'
import { type Compilable, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ddl, routerOf, type schema } from './festival-fixture.ts'

// One server each, so that one can be taken away; the first is the one that used to combine and to tell the time.
let cluster: LocalCluster
let router: ShardRouter<typeof schema>
const keys: string[] = []

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 3 })
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    await connection.script(ddl)
  }
  router = routerOf(cluster, { pool: { retry: { maxRetries: 1 }, breaker: { failTimeoutMs: 200 } } })
  await router.ready()
  for (let n = 0; keys.filter(Boolean).length < 3; n++) {
    const [shard] = router.shardsOf(keyed(`f${n}`).compile())
    keys[Number(shard?.at(-1)) - 1] ??= `f${n}`
  }
  await router.db
    .insertInto('wallets')
    .values(
      keys.flatMap((festival_id) =>
        [0, 1].map((id) => ({ festival_id, id, user_id: id, balance: '1', note: `n${id}` })),
      ),
    )
    .execute()
  await router.db.insertInto('festivals').values({ id: 1, name: 'Fusion' }).execute()
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

const keyed = (key: string) => router.db.selectFrom('wallets').selectAll().where('festival_id', '=', key)
const all = () => router.fanOut().selectFrom('wallets')

/** One of each way to merge; what they give when one of three shards is missing. */
const queries: Record<string, { readonly of: () => Compilable<unknown>; readonly rows: readonly unknown[] }> = {
  'rows as they come': { of: () => all().select('id').where('id', '=', 0), rows: [{ id: 0 }, { id: 0 }] },
  'a count': { of: () => all().select(({ fn }) => fn.countAll<string>().as('n')), rows: [{ n: '4' }] },
  'rows by number': { of: () => all().select('id').orderBy('id').limit(3), rows: [{ id: 0 }, { id: 0 }, { id: 1 }] },
  'rows by text': { of: () => all().select('note').orderBy('note', 'desc').limit(1).offset(1), rows: [{ note: 'n1' }] },
  groups: {
    of: () =>
      all()
        .select(({ fn }) => ['note', fn.sum<string>('balance').as('sum')])
        .groupBy('note')
        .having(({ fn }) => fn.countAll(), '=', 2)
        .orderBy('note'),
    rows: [
      { note: 'n0', sum: '2.00' },
      { note: 'n1', sum: '2.00' },
    ],
  },
  'a distinct count': {
    of: () => all().select(({ fn }) => fn.count<string>('note').distinct().as('n')),
    rows: [{ n: '2' }],
  },
  'a window': {
    of: () => all().select(sql<string>`row_number() over (order by id, festival_id)`.as('n')).orderBy('n').limit(1),
    rows: [{ n: '1' }],
  },
  'the time': {
    of: () => all().select(sql<boolean>`now() > '2000-01-01'`.as('late')).where('id', '=', 0),
    rows: [{ late: true }, { late: true }],
  },
  'rows that are read first': {
    of: () =>
      all()
        .select('id')
        .where('id', 'in', (eb) => eb.selectFrom('wallets as w').select('w.id').orderBy('w.id').limit(2)),
    rows: [{ id: 0 }, { id: 0 }],
  },
}

const others = { first: 'shard-1', last: 'shard-3' } as const

describe.each(Object.entries(others))('without the %s shard', (_, missing) => {
  const gone = () => cluster.shard(missing)
  const rest = () => keys.filter((_key, index) => `shard-${index + 1}` !== missing)

  const back = () =>
    expect
      .poll(
        () =>
          keyed(keys[Number(missing.at(-1)) - 1] as string)
            .execute()
            .catch(() => []),
        { timeout: 10_000 },
      )
      .toHaveLength(2)
  const collected = async (deadlineMs?: number) => {
    const found: Record<string, unknown> = {}
    await Promise.all(
      Object.entries(queries).map(async ([name, { of }]) => {
        const { rows, missing: shards } = await router.collect(of(), {
          partial: true,
          ...(deadlineMs ? { deadlineMs } : {}),
        })
        found[name] = { rows, missing: shards.map(({ shard }) => shard) }
      }),
    )
    return found
  }
  const expected = Object.fromEntries(
    Object.entries(queries).map(([name, { rows }]) => [name, { rows, missing: [missing] }]),
  )

  it('results are those of the others', async () => {
    await gone().stop()
    expect(await collected().finally(() => gone().start())).toEqual(expected)
    await back()
  })

  it('they are there by the deadline when it hangs', async () => {
    await back()
    await gone().pause()
    const started = performance.now()
    expect(await collected(2_000).finally(() => gone().resume())).toEqual(expected)
    expect(performance.now() - started).toBeLessThan(2_000)
    await back()
  })

  it('what needs only the others works as before', async () => {
    await gone().stop()
    try {
      const among = all().where('festival_id', 'in', rest())
      for (let turn = 0; turn < 4; turn++) {
        expect(await router.db.selectFrom('festivals').select('name').execute()).toEqual([{ name: 'Fusion' }])
        expect(await among.select(({ fn }) => fn.count<string>('note').distinct().as('n')).execute()).toEqual([
          { n: '2' },
        ])
        expect(await among.select('note').where('created_at', '<=', sql<Date>`now()`).execute()).toHaveLength(4)
      }
      await expect(all().selectAll().execute()).rejects.toMatchObject({ details: { shard: missing } })
    } finally {
      await gone().start()
    }
  })
})
