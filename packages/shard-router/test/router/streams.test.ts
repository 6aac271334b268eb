import type { LocalCluster } from '@shardwright/local-cluster'
import type { ShardRouter } from '@shardwright/shard-router'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { festivalIds, routerOf, type schema, startFestival } from './festival-fixture.ts'

// One session a shard: a stream that keeps it, or loses it, is noticed by the next statement.
let cluster: LocalCluster
let router: ShardRouter<typeof schema>

beforeAll(async () => {
  cluster = await startFestival(3)
  router = routerOf(cluster, { pool: { size: { minimum: 0, maximum: 1, overflow: 0, acquireTimeoutMs: 2_000 } } })
})

afterAll(async () => {
  await router?.close()
  await cluster?.stop()
})

const perFestival = 30

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
})

const enough = new Error('enough')

async function balances(festival: string): Promise<string> {
  const { sum } = await router.db
    .selectFrom('wallets')
    .select(({ fn }) => fn.sum<string>('balance').as('sum'))
    .where('festival_id', '=', festival)
    .executeTakeFirstOrThrow()
  return sum
}

describe('a statement while a stream of the same transaction is open', () => {
  it('runs, on the shard of the stream, and the stream does not see what it does', async () => {
    const seen = await router.db.transaction().execute(async (trx) => {
      const ids: number[] = []
      const query = trx.selectFrom('wallets').selectAll().where('festival_id', '=', 'f1').orderBy('id')
      for await (const { id, balance } of query.stream(4)) {
        ids.push(id)
        expect(balance).toBe('1.00')
        await trx
          .updateTable('wallets')
          .set({ balance: '2' })
          .where('festival_id', '=', 'f1')
          .where('id', 'in', [id, id + 6])
          .execute()
        await trx
          .insertInto('wallets')
          .values({ festival_id: 'f1', id: 1_000 + id, user_id: 0, balance: '0' })
          .execute()
      }
      return ids
    })
    expect(seen).toEqual(Array.from({ length: perFestival }, (_, id) => id))
    expect(await balances('f1')).toBe('60.00')
  })

  it('runs over several shards; rows that it adds are not streamed, as one cursor would not see them', async () => {
    for (const order of [true, false]) {
      let rows = 0
      await router.transaction({ crossShard: 'atomic', fanOut: true }).execute(async (trx) => {
        const plain = trx.selectFrom('wallets').select(['festival_id', 'id']).where('id', '<', 1_000)
        const query = order ? plain.orderBy('festival_id').orderBy('id') : plain
        for await (const { festival_id, id } of query.stream(5)) {
          rows++
          if (id % 10 !== 0) continue
          await trx
            .insertInto('wallets')
            .values(festivalIds.map((each) => ({ festival_id: each, id: 100 + rows, user_id: 0, balance: '1' })))
            .execute()
          await trx.updateTable('wallets').set({ note: 'seen' }).where('festival_id', '=', festival_id).execute()
        }
      })
      expect(rows).toBe(festivalIds.length * perFestival)
      await router.fanOut().deleteFrom('wallets').where('id', '>=', perFestival).execute()
    }
  })

  it('streams within streams, and one that is left early', async () => {
    const pairs = await router.db.transaction().execute(async (trx) => {
      const found: string[] = []
      const of = (festival: 'f1') =>
        trx.selectFrom('wallets').select('id').where('festival_id', '=', festival).orderBy('id')
      for await (const outer of of('f1').stream(3)) {
        for await (const inner of of('f1').where('id', '>', outer.id).stream(2)) {
          found.push(`${outer.id}-${inner.id}`)
          if (inner.id - outer.id === 3) break
        }
        if (outer.id === 7) break
      }
      await trx.updateTable('wallets').set({ balance: '3' }).where('festival_id', '=', 'f1').execute()
      const { rows } = await sql`select 1 from pg_cursors where name <> ''`.execute(trx).catch(() => ({ rows: [] }))
      expect(rows).toEqual([])
      return found
    })
    expect(pairs).toHaveLength(24)
    expect(await balances('f1')).toBe(`${perFestival * 3}.00`)
  })

  it('that fails fails the stream too; a savepoint around it saves a stream from before, and none from behind', async () => {
    const failing = router.db.transaction().execute(async (trx) => {
      for await (const _ of trx.selectFrom('wallets').selectAll().where('festival_id', '=', 'f1').stream(4)) {
        await trx
          .insertInto('wallets')
          .values({ festival_id: 'f1', id: 0, user_id: 0, balance: '0' })
          .execute()
          .catch(() => undefined)
      }
    })
    await expect(failing).rejects.toMatchObject({ code: '25P02' })

    const trx = await router.db.startTransaction().execute()
    const query = trx.selectFrom('wallets').select('id').where('festival_id', '=', 'f1').orderBy('id')
    const before = query.stream(4)[Symbol.asyncIterator]()
    const ids = [(await before.next()).value?.id]
    const point = await trx.savepoint('p').execute()
    const behind = query.stream(4)[Symbol.asyncIterator]()
    await behind.next()
    await expect(
      point.insertInto('wallets').values({ festival_id: 'f1', id: 0, user_id: 0, balance: '0' }).execute(),
    ).rejects.toMatchObject({ code: '23505' })
    await point.rollbackToSavepoint('p').execute()
    for (let step = await before.next(); step.done !== true; step = await before.next()) ids.push(step.value.id)
    expect(ids).toEqual(Array.from({ length: perFestival }, (_, id) => id))
    const again = await point.savepoint('q').execute()
    const rest = (async () => {
      for (let step = await behind.next(); step.done !== true; step = await behind.next());
    })()
    await expect(rest).rejects.toMatchObject({ code: '34000' })
    await again.rollbackToSavepoint('q').execute()
    await trx.commit().execute()
  })

  it('whose transaction ends: the stream ends with an error, and touches the session no more', async () => {
    const trx = await router.db.startTransaction().execute()
    const query = trx.selectFrom('wallets').select('id').where('festival_id', '=', 'f1')
    const stream = query.stream(4)[Symbol.asyncIterator]()
    await stream.next()
    await trx.updateTable('wallets').set({ balance: '5' }).where('festival_id', '=', 'f1').execute()
    await trx.commit().execute()
    const rest = (async () => {
      for (let step = await stream.next(); step.done !== true; step = await stream.next());
    })()
    await expect(rest).rejects.toThrow(/committed/)
    expect(await balances('f1')).toBe(`${perFestival * 5}.00`)
  })

  it('is not hit by an abort of the stream, and the other way round', async () => {
    const controller = new AbortController()
    await router.db.transaction().execute(async (trx) => {
      const query = trx.selectFrom('wallets').select('id').where('festival_id', '=', 'f1')
      const streaming = (async () => {
        for await (const { id } of query.stream({ chunkSize: 4, signal: controller.signal })) {
          if (id === 5) controller.abort(enough)
        }
      })()
      await expect(streaming).rejects.toBe(enough)
      await trx.updateTable('wallets').set({ balance: '4' }).where('festival_id', '=', 'f1').execute()
    })
    expect(await balances('f1')).toBe(`${perFestival * 4}.00`)

    const ids: number[] = []
    const aborting = router.db.transaction().execute(async (trx) => {
      const point = trx.selectFrom('wallets').select('id').where('festival_id', '=', 'f1').orderBy('id')
      for await (const { id } of point.stream(4)) {
        ids.push(id)
        if (id !== 5) continue
        const slow = trx.selectFrom('wallets').select(sql`pg_sleep(5)`.as('s')).where('festival_id', '=', 'f1').limit(1)
        await slow.execute({ signal: AbortSignal.timeout(50), inflightQueryAbortStrategy: 'cancel query' })
      }
    })
    await expect(aborting).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(ids).toEqual([0, 1, 2, 3, 4, 5])
    expect(await balances('f1')).toBe(`${perFestival * 4}.00`)
  })

  it('a stream that writes gives its transaction a token, and rows that it may not parse leave the session in order', async () => {
    const updated = await router.db.transaction().execute(async (trx) => {
      const query = trx.updateTable('wallets').set({ balance: '9' }).where('festival_id', '=', 'f1').returning('id')
      let rows = 0
      for await (const _ of query.stream(7)) {
        rows++
        if (rows === 3) await trx.deleteFrom('wallets').where('festival_id', '=', 'f1').where('id', '=', 0).execute()
      }
      return rows
    })
    expect(updated).toBe(perFestival)
    expect(await balances('f1')).toBe(`${(perFestival - 1) * 9}.00`)

    const types = {
      getTypeParser: (oid: number, format: 'text') => {
        if (oid !== pg.types.builtins.NUMERIC) return pg.types.getTypeParser(oid, format)
        return (text: string) => {
          if (text === '9.00') throw enough
          return text
        }
      },
    }
    await using picky = routerOf(cluster, { pool: { types, size: { minimum: 0, maximum: 1, overflow: 0 } } })
    const read = async (db: typeof picky.db) => {
      for await (const _ of db.selectFrom('wallets').select('balance').where('festival_id', '=', 'f1').stream(4));
    }
    await expect(picky.db.transaction().execute(read)).rejects.toBe(enough)
    await expect(read(picky.db)).rejects.toBe(enough)
    await picky.db.selectFrom('wallets').select('id').where('festival_id', '=', 'f1').forUpdate().execute()
  })
})
