import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { ShardPool } from '../../src/pool/shard-pool.ts'
import { failureOf, read, topologyOf, write } from './pool-fixture.ts'

// A named statement keeps the types of its parameters, which the server tells nobody.
describe('named statements after a change of a column’s type', () => {
  let cluster: LocalCluster
  let pool: ShardPool

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 1, databasePerShard: true })
  })
  afterAll(() => cluster.stop())
  beforeEach(async () => {
    pool = createShardPool(topologyOf(cluster), { lane: { slowMs: 60_000, maxClients: 1 } })
    await pool.execute(0, write('drop table if exists items'))
    await pool.execute(0, write('create table items (k int primary key, n int, r real, d date)'))
    await pool.execute(0, write('insert into items select g, g from generate_series(1, 100) g'))
  })
  afterEach(() => pool.close())

  /** By another process: nobody here sees it. */
  const elsewhere = async (...statements: string[]) => {
    const client = await pool.direct(0)
    for (const sql of statements) await client.query(sql)
    await client.end()
  }
  const byN = (n: unknown) => read('select k from items where n = $1', n)
  const insert = (k: number, r: unknown, d: unknown) =>
    write('insert into items (k, r, d) values ($1, $2, $3)', k, r, d)
  const widened = [
    'alter table items alter column r type double precision',
    'alter table items alter d type timestamptz',
  ]
  const stored = async (k: number) =>
    (await pool.execute(0, read('select r, d::text as d from items where k = $1', k))).rows
  // Without a call, so that it runs on the pipelined client.
  const namesOf = async (pattern: string) =>
    (await pool.execute(0, read('select name from pg_prepared_statements where statement like $1', pattern))).rowCount
  const exact = [{ r: 0.1, d: '2024-05-05 08:11:12+00' }]

  test('a value that the old type does not take is asked about once more, on both lanes', async () => {
    const run = () => Promise.all(Array.from({ length: 40 }, (_, n) => pool.execute(0, byN(n + 1))))
    for (let turn = 0; turn < 3; turn++) await run()
    await elsewhere('alter table items alter column n type bigint', 'update items set n = 3000000000 where k = 7')
    expect((await pool.execute(0, byN('3000000000'))).rows).toEqual([{ k: 7 }])
    await run()
    await elsewhere('alter table items alter column n type text')
    expect((await pool.execute(0, byN('no number'))).rows).toEqual([])
    expect((await run())[5]?.rows).toEqual([{ k: 6 }])
    const lease = await pool.lease(0)
    for (let turn = 0; turn < 3; turn++) expect((await lease.execute(byN('9'))).rows).toEqual([{ k: 9 }])
    await elsewhere('alter table items alter column n type numeric using n::numeric')
    expect((await lease.execute(byN('9.0'))).rows).toEqual([{ k: 9 }])
    lease.release()
  })

  test('what is a mistake stays one, costs no name, and is told as it is', async () => {
    for (let turn = 0; turn < 3; turn++) await pool.execute(0, byN(1))
    for (let turn = 0; turn < 5; turn++) expect((await failureOf(pool.execute(0, byN('x')))).code).toBe('22P02')
    expect(await namesOf('%where n =%')).toBe(1)
    expect((await pool.execute(0, byN(1))).rows).toEqual([{ k: 1 }])
  })

  test('DDL through the pool itself renews them before a value could be cut short', async () => {
    for (let k = 101; k < 105; k++) await pool.execute(0, insert(k, 0.1, '2024-05-05'))
    for (const sql of widened) await pool.execute(0, write(sql))
    await pool.execute(0, insert(200, 0.1, '2024-05-05 10:11:12+02'))
    expect(await stored(200)).toEqual(exact)
  })

  test('so does DDL in a transaction, and in a script', async () => {
    for (let k = 101; k < 105; k++) await pool.execute(0, insert(k, 0.1, '2024-05-05'))
    const lease = await pool.lease(0)
    await lease.execute(write('begin'))
    await lease.execute(write(widened.join(';')))
    const waiting = pool.execute(0, insert(201, 0.1, '2024-05-05 10:11:12+02'))
    await lease.execute(write('commit'))
    lease.release()
    await waiting
    expect(await stored(201)).toEqual(exact)
  })

  test('DDL elsewhere renews all of them when one is found stale, or when the pool is told', async () => {
    const all = read('select * from items where k = $1', 1)
    for (let k = 101; k < 105; k++)
      await Promise.all([pool.execute(0, insert(k, 0.1, '2024-05-05')), pool.execute(0, all)])
    await elsewhere('alter table items alter column r type double precision')
    await pool.execute(0, all)
    await pool.execute(0, insert(202, 0.1, null))
    expect(await stored(202)).toEqual([{ r: 0.1, d: null }])
    await elsewhere('alter table items alter d type timestamptz')
    pool.forgetStatements()
    await pool.execute(0, insert(203, 0.1, '2024-05-05 10:11:12+02'))
    expect(await stored(203)).toEqual(exact)
  })

  test('under load no name is wasted when the result type changes', async () => {
    const all = (k: number) => read('select * from items where k = $1', k)
    const round = () => Promise.all(Array.from({ length: 100 }, (_, k) => pool.execute(0, all(k + 1))))
    for (let turn = 0; turn < 3; turn++) await round()
    let running = true
    const load = (async () => {
      while (running) await round()
    })()
    for (let turn = 0; turn < 10; turn++) {
      await elsewhere(`alter table items add column c${turn} int default ${turn}`)
      await elsewhere(`alter table items drop column c${turn}`)
    }
    running = false
    await load
    expect((await round()).map((result) => result.rows.length)).toEqual(Array(100).fill(1))
    const names = await namesOf('%from items%')
    expect(names).toBeGreaterThan(1)
    expect(names).toBeLessThan(45)
  })
})
