import { defineTopology } from '@shardwright/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cases } from './cases/fixture.ts'
import type { AnyKysely } from './world/database.ts'

// Shapes of cases/routing.md that broke other systems, by their numbers: several fan-outs, and shards that are missing. `one` is one PostgreSQL with all rows.
let cases: Cases

beforeAll(async () => {
  cases = await Cases.start()
  await cases.fill()
})

afterAll(async () => {
  await cases?.[Symbol.asyncDispose]()
})

test('29: different fan-outs at the same time and in one transaction leave nothing behind', async () => {
  await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      cases.same((db) =>
        db
          .selectFrom('T')
          .select((eb) => [eb.fn.countAll().as('n'), eb.fn.max('id').as('m')])
          .where('x', '<>', i % 6)
          .groupBy(i % 2 ? 'g' : 'b'),
      ),
    ),
  )
  await cases.router.transaction({ crossShard: 'atomic', fanOut: true }).execute(async (trx) => {
    const db = trx as unknown as AnyKysely
    expect(
      await db
        .selectFrom('T')
        .select((eb) => eb.fn.countAll().as('n'))
        .execute(),
    ).toEqual([{ n: '60' }])
    expect(
      await db
        .selectFrom('U')
        .select((eb) => eb.fn.countAll().as('n'))
        .execute(),
    ).toEqual([{ n: '30' }])
  })
})

test('30: a hole in the bucket map is refused; a shard that is down is an error, or named in a partial result', async () => {
  const shards = cases.cluster.topologyInput().shards
  expect(() =>
    defineTopology({ hash: 'postgres', shards, bucketMap: [{ from: 0, to: 1000, shard: shards[0]?.id ?? '' }] }),
  ).toThrow(/bucket/i)
  const query = cases.router
    .fanOut()
    .selectFrom('T' as never)
    .selectAll()
  await cases.setDown([2])
  await expect(query.execute()).rejects.toThrow()
  const partial = await cases.router.collect(query, { partial: true })
  expect(partial.missing.map(({ shard }) => shard)).toEqual([shards[2]?.id])
  expect(partial.rows.length).toBeGreaterThan(0)
  await cases.setDown([0, 1, 2])
  await expect(cases.router.collect(query, { partial: true })).rejects.toMatchObject({ code: 'SHARDS_MISSING' })
})
