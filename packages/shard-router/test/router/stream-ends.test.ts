import type { Telemetry, TelemetryAttributes } from '@shardwright/core'
import type { LocalCluster } from '@shardwright/local-cluster'
import type { ShardRouter } from '@shardwright/shard-router'
import { type CompiledQuery, type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Database, festivalIds, routerOf, type schema, startFestival } from './festival-fixture.ts'

interface Measured {
  readonly name: string
  readonly value: number
  readonly attributes: TelemetryAttributes
}

// One session a shard: one that is not given back is missed by the next statement.
let cluster: LocalCluster
let router: ShardRouter<typeof schema>
let measured: Measured[] = []
let spans: { name: string; error: unknown }[] = []

const telemetry: Telemetry = {
  count: (name, value, attributes = {}) => void measured.push({ name, value, attributes }),
  record: (name, value, attributes = {}) => void measured.push({ name, value, attributes }),
  span: (name) => ({ end: (outcome) => void spans.push({ name, error: outcome?.error }) }),
  gauge: () => {},
  log: () => {},
}

beforeAll(async () => {
  cluster = await startFestival(3)
  for (const shard of cluster.fleet().shards) {
    await using connection = await shard.connect()
    // Rows by the index, one by one: the server does not compute them all before it gives the first.
    await connection.script(`create index on wallets (id);
      do $$ begin execute format('alter database %I set enable_sort = off', current_database()); end $$;
      create function slowly(ms double precision) returns int stable language plpgsql as
      $$ begin perform pg_sleep($1 / 1000); return 1; end $$;`)
  }
  router = routerOf(cluster, {
    telemetry,
    pool: { size: { minimum: 0, maximum: 1, overflow: 0, acquireTimeoutMs: 5_000 } },
  })
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

const perFestival = 10
const all = festivalIds.length * perFestival

beforeEach(async () => {
  await router.fanOut().deleteFrom('wallets').execute()
  await router.db
    .insertInto('wallets')
    .values(
      festivalIds.flatMap((festival_id) =>
        Array.from({ length: perFestival }, (_, id) => ({ festival_id, id, user_id: id, balance: '1' })),
      ),
    )
    .execute()
  measured = []
  spans = []
})

/** The sizes of the chunks, and all rows. */
async function chunksOf<R>(db: Kysely<Database>, query: CompiledQuery<R>, size: number) {
  const sizes: number[] = []
  const rows: R[] = []
  for await (const chunk of db.getExecutor().stream<R>(query, size)) {
    sizes.push(chunk.rows.length)
    rows.push(...chunk.rows)
  }
  return { sizes, rows }
}

async function count(): Promise<number> {
  const row = await router
    .fanOut()
    .selectFrom('wallets')
    .select(({ fn }) => fn.countAll<string>().as('n'))
    .executeTakeFirstOrThrow()
  return Number(row.n)
}

async function activeWith(mark: string): Promise<number> {
  const counts = await Promise.all(
    cluster.fleet().shards.map(async (shard) => {
      await using connection = await shard.connect()
      const { rows } = (await connection.client.query(
        `select count(*)::int as n from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query like $1`,
        [`%${mark}%`],
      )) as unknown as { rows: { n: number }[] }
      return rows[0]?.n ?? 0
    }),
  )
  return counts.reduce((sum, n) => sum + n, 0)
}

describe('a write to several shards', () => {
  it('is streamed: done on all of them before its first row, which come in chunks', async () => {
    const fan = router.fanOut()
    const updated = await chunksOf(
      fan,
      fan.updateTable('wallets').set({ note: 'x' }).returning(['id', 'note']).compile(),
      7,
    )
    expect(updated.rows).toHaveLength(all)
    expect(new Set(updated.rows.map(({ note }) => note))).toEqual(new Set(['x']))
    expect(updated.sizes.slice(0, -1).every((size) => size === 7)).toBe(true)

    const rows = festivalIds.map((festival_id) => ({ festival_id, id: 500, user_id: 1, balance: '2' }))
    const inserted: string[] = []
    for await (const { festival_id } of router.db
      .insertInto('wallets')
      .values(rows)
      .returning('festival_id')
      .stream(5)) {
      if (inserted.length === 0) expect(await count()).toBe(all + festivalIds.length)
      inserted.push(festival_id)
    }
    expect(inserted).toEqual([...festivalIds])

    for await (const _ of fan.deleteFrom('wallets').where('id', '=', 500).returning('id').stream(2)) break
    expect(await count()).toBe(all)

    const names: string[] = []
    for await (const { name } of router.db
      .insertInto('festivals')
      .values([{ name: 'a' }, { name: 'b' }])
      .returning('name')
      .stream(1)) {
      names.push(name)
    }
    expect(names).toEqual(['a', 'b'])
    const merged = fan
      .mergeInto('wallets as w')
      .using('transactions as t', (join) =>
        join.onRef('t.festival_id', '=', 'w.festival_id').onRef('t.id', '=', 'w.id'),
      )
      .whenMatched()
      .thenDelete()
      .returningAll()
    expect((await chunksOf(fan, merged.compile(), 3)).rows).toEqual([])
  })

  it('is in a transaction what its statements are, and is refused where that is on one shard', async () => {
    const broken = router.transaction({ crossShard: 'atomic', fanOut: true }).execute(async (trx) => {
      let rows = 0
      for await (const _ of trx.updateTable('wallets').set({ note: 'y' }).returning('id').stream(11)) {
        if (rows++ === 0) await trx.deleteFrom('wallets').where('festival_id', '=', 'f0').execute()
      }
      expect(rows).toBe(all)
      throw new Error('back')
    })
    await expect(broken).rejects.toThrow('back')
    expect(await count()).toBe(all)
    const oneShard = router.db.transaction().execute(async (trx) => {
      const rows = festivalIds.map((festival_id) => ({ festival_id, id: 600, user_id: 1, balance: '2' }))
      for await (const _ of trx.insertInto('wallets').values(rows).returning('id').stream(5));
    })
    await expect(oneShard).rejects.toMatchObject({ code: 'CROSS_SHARD_TRANSACTION' })
    expect(await count()).toBe(all)
  })

  it('that fails gives no row, and nothing was done', async () => {
    const rows = festivalIds.map((festival_id) => ({
      festival_id,
      id: festival_id === 'f7' ? 1 : 700,
      user_id: 1,
      balance: '2',
    }))
    let given = 0
    const failing = (async () => {
      for await (const _ of router.db.insertInto('wallets').values(rows).returning('id').stream(1)) given++
    })()
    await expect(failing).rejects.toMatchObject({ code: '23505' })
    expect(given).toBe(0)
    expect(await count()).toBe(all)
  })
})

describe('telemetry of a stream', () => {
  const of = (name: string) => measured.filter((each) => each.name === name && each.attributes.lane === 'stream')

  it('has its rows, and the duration of its reads without that of its reader', async () => {
    const query = router.db.selectFrom('wallets').select('id').where('festival_id', '=', 'f1').orderBy('id')
    for await (const { id } of query.stream(4))
      if (id % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 100))
    expect(of('shardwright.pool.rows').map(({ value }) => value)).toEqual([perFestival])
    const [duration] = of('shardwright.pool.statement_ms')
    expect(duration?.attributes).toMatchObject({ statement: 'SELECT wallets', role: 'primary' })
    expect(duration?.value).toBeLessThan(200)
    expect(spans.map(({ error }) => error)).toEqual([undefined])
  })

  it('counts each shard, a stream that is left, one in a transaction, and errors by their code', async () => {
    for await (const _ of router.fanOut().selectFrom('wallets').selectAll().orderBy('id').stream(3)) break
    expect(
      of('shardwright.pool.statement_ms')
        .map(({ attributes }) => attributes.shard)
        .sort(),
    ).toEqual(['shard-1', 'shard-2', 'shard-3'])
    expect(of('shardwright.pool.errors')).toEqual([])
    measured = []
    await router.db.transaction().execute(async (trx) => {
      for await (const _ of trx.selectFrom('wallets').selectAll().where('festival_id', '=', 'f1').stream(3));
    })
    expect(of('shardwright.pool.rows').map(({ value }) => value)).toEqual([perFestival])
    const failing = (async () => {
      for await (const _ of router.db
        .selectFrom('wallets')
        .select(sql`1 / (id - id)`.as('x'))
        .where('festival_id', '=', 'f1')
        .stream(3));
    })()
    await expect(failing).rejects.toMatchObject({ code: '22012' })
    expect(of('shardwright.pool.errors').map(({ attributes }) => attributes.code)).toEqual(['22012'])
  })
})

describe('a stream that is aborted or left', () => {
  const slow = (db: Kysely<Database>, mark: string) =>
    db.selectFrom('wallets').select(['festival_id', 'id', sql`slowly(200)`.as(mark)])

  it.each(['one shard', 'merged', 'one after the other', 'grouped', 'a named shard', 'in a transaction'])(
    'by its signal, its statements end on the servers: %s',
    async (kind) => {
      const enough = new Error('enough')
      const controller = new AbortController()
      const mark = `mark_${kind.replaceAll(' ', '_')}`
      const stream = async (db: Kysely<Database>) => {
        const query = {
          'one shard': () => slow(db, mark).where('festival_id', '=', 'f1'),
          merged: () => slow(db, mark).orderBy('id').orderBy('festival_id'),
          'one after the other': () => slow(db, mark),
          grouped: () => db.selectFrom('wallets').select((eb) => eb.fn.sum(sql`id + slowly(200)`).as(mark)),
          'a named shard': () => slow(db, mark),
          'in a transaction': () => slow(db, mark).where('festival_id', '=', 'f1'),
        }[kind]!()
        for await (const _ of (query as ReturnType<typeof slow>).stream({ chunkSize: 40, signal: controller.signal }));
      }
      const doors: Record<string, Kysely<Database>> = {
        'one shard': router.db,
        'a named shard': router.onShard('shard-1'),
      }
      const running =
        kind === 'in a transaction'
          ? router.db.transaction().execute((trx) => stream(trx))
          : stream(doors[kind] ?? router.fanOut())
      const ended = expect(running).rejects.toBe(enough)
      await expect.poll(() => activeWith('slowly(200)')).toBeGreaterThan(0)
      controller.abort(enough)
      await ended
      await expect.poll(() => activeWith('slowly(200)'), { timeout: 1_000 }).toBe(0)
      expect(await count()).toBe(all)
    },
  )

  it('by break, and no read of another shard is waited for', async () => {
    const started = performance.now()
    const late = sql<number>`case when festival_id = 'f1' and id > 4 then slowly(3000) else id end`
    const query = router
      .fanOut()
      .selectFrom('wallets')
      .select(['id', late.as('mark_left')])
      .orderBy('id')
    for await (const { id } of query.stream(2)) if (id === 2) break
    expect(performance.now() - started).toBeLessThan(2_000)
    expect(await activeWith('mark_left')).toBe(0)
    expect(await count()).toBe(all)
    expect(measured.filter(({ name }) => name === 'shardwright.pool.errors')).toEqual([])
  })

  it('by an error of its reader, and by return() before the first row', async () => {
    const reader = (async () => {
      for await (const _ of router.fanOut().selectFrom('wallets').selectAll().orderBy('id').stream(2))
        throw new Error('mine')
    })()
    await expect(reader).rejects.toThrow('mine')
    await router.fanOut().selectFrom('wallets').selectAll().stream(2)[Symbol.asyncIterator]().return?.()
    expect(await count()).toBe(all)
  })
})

describe('a connection of one shard', () => {
  const pid = sql<{ pid: number }>`select pg_backend_pid() as pid`

  it('has one session for statements, streams and transactions', async () => {
    await using wide = routerOf(cluster, { pool: { size: { minimum: 0, maximum: 4, overflow: 0 } } })
    await wide
      .onShard('shard-1')
      .connection()
      .execute(async (connection) => {
        const pids = new Set<number | undefined>()
        const built = connection.selectNoFrom(sql<number>`pg_backend_pid()`.as('pid'))
        pids.add((await built.executeTakeFirst())?.pid)
        pids.add((await pid.execute(connection)).rows[0]?.pid)
        for await (const row of built.stream(1)) pids.add(row.pid)
        await connection.transaction().execute(async (trx) => {
          pids.add((await pid.execute(trx)).rows[0]?.pid)
          for await (const row of trx.selectNoFrom(sql<number>`pg_backend_pid()`.as('pid')).stream(1)) {
            pids.add(row.pid)
            pids.add((await pid.execute(trx)).rows[0]?.pid)
          }
        })
        expect(pids.size).toBe(1)
        for await (const _ of connection.selectFrom('wallets').selectAll().stream(1)) {
          await expect(pid.execute(connection)).rejects.toMatchObject({ code: 'STREAM_OPEN' })
          break
        }
        expect((await pid.execute(connection)).rows[0]?.pid).toBe([...pids][0])
      })
  })
})

describe('a statement that was cancelled', () => {
  it.each(['cancel query', 'ignore query'] as const)(
    '%s: what comes behind ROLLBACK TO is not aborted',
    async (inflightQueryAbortStrategy) => {
      const trx = await router.db.startTransaction().execute()
      const point = await trx.savepoint('p').execute()
      const sleeping = point
        .selectFrom('wallets')
        .select(sql`pg_sleep(0.4)`.as('x'))
        .where('festival_id', '=', 'f1')
        .limit(1)
      await expect(
        sleeping.execute({ signal: AbortSignal.timeout(50), inflightQueryAbortStrategy }),
      ).rejects.toMatchObject({ name: 'TimeoutError' })
      const back = await point.rollbackToSavepoint('p').execute()
      const ids = back.selectFrom('wallets').select('id').where('festival_id', '=', 'f1').orderBy('id')
      expect(await ids.execute()).toHaveLength(perFestival)
      let rows = 0
      for await (const _ of ids.stream(3)) rows++
      expect(rows).toBe(perFestival)
      await trx.commit().execute()
    },
  )
})
