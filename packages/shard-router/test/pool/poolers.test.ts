import { defineTopology } from '@shardwright/core'
import {
  findProgram,
  type LocalCluster,
  startHaproxy,
  startLocalCluster,
  startPgBouncer,
} from '@shardwright/local-cluster'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import { failureOf, read, write } from './pool-fixture.ts'

const pgbouncer = await findProgram('pgbouncer')
const haproxy = await findProgram('haproxy')

describe('behind a pooler', () => {
  let cluster: LocalCluster

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 1 })
  })
  afterAll(() => cluster?.stop())

  const topology = (url: string, pooler: 'direct' | 'pgbouncer-session' | 'pgbouncer-transaction') =>
    defineTopology({
      id: 'poolers',
      hash: 'postgres',
      shards: [{ id: 'shard-1', primary: { url, pooler, directUrl: cluster.shards[0]!.url } }],
    })

  test.skipIf(pgbouncer === undefined).each(['session', 'transaction'] as const)(
    'PgBouncer in %s mode',
    async (poolMode) => {
      await using bouncer = await startPgBouncer({
        target: cluster.shards[0]!.url,
        poolMode,
        settings: { default_pool_size: 3 },
      })
      const pool = createShardPool(topology(bouncer.url, `pgbouncer-${poolMode}`), {
        size: { minimum: 0, maximum: poolMode === 'session' ? 1 : 8, overflow: 0 },
        lane: { maxClients: 1 },
      })
      const settings = `select current_setting('DateStyle') d, current_setting('TimeZone') t, current_setting('IntervalStyle') i,
      current_setting('bytea_output') b`
      expect((await pool.execute(0, read(settings))).rows).toEqual([
        { d: 'ISO, MDY', t: 'UTC', i: 'postgres', b: 'hex' },
      ])
      await pool.execute(0, write('drop table if exists items'))
      await pool.execute(0, write('create table items (k int primary key, n int default 0)'))
      await Promise.all(
        Array.from({ length: 50 }, (_, k) => pool.execute(0, write('insert into items (k) values ($1)', k))),
      )
      for (let round = 0; round < 5; round++) {
        const found = await Promise.all(
          Array.from({ length: 50 }, (_, k) => pool.execute(0, read('select k from items where k = $1', k))),
        )
        expect(found.map((result) => result.rows)).toEqual(Array.from({ length: 50 }, (_, k) => [{ k }]))
      }
      const lease = await pool.lease(0)
      await lease.execute(write('begin'))
      await lease.execute(write('update items set n = 1 where k = 1'))
      const chunks = []
      for await (const chunk of lease.stream(read('select k from items order by k'), 20)) chunks.push(chunk.rows.length)
      expect(chunks).toEqual([20, 20, 10])
      await lease.execute(write('rollback'))
      lease.release()
      expect((await pool.execute(0, read('select n from items where k = $1', 1))).rows).toEqual([{ n: 0 }])
      const controller = new AbortController()
      const canceled = failureOf(
        pool.execute(0, read('select pg_sleep(20)'), { signal: controller.signal, abortStrategy: 'cancel query' }),
      )
      setTimeout(() => controller.abort(new Error('stop')), 200)
      expect((await canceled).message).toBe('stop')
      const direct = await pool.direct(0)
      await direct.query('listen anything')
      expect((await direct.query('select pg_backend_pid() as pid')).rows).toHaveLength(1)
      await direct.end()
      await pool.close()
    },
  )

  test.skipIf(pgbouncer === undefined)('a setting that a transaction pooler loses is refused', async () => {
    const admin = createShardPool(topology(cluster.shards[0]!.url, 'direct'))
    const { database } = cluster.shards[0]!
    await admin.execute(0, write(`alter database "${database}" set bytea_output = 'escape'`))
    await using bouncer = await startPgBouncer({ target: cluster.shards[0]!.url, poolMode: 'transaction' })
    const pool = createShardPool(topology(bouncer.url, 'pgbouncer-transaction'))
    expect(await failureOf(pool.execute(0, read('select 1')))).toMatchObject({
      code: 'SESSION_SETTINGS_DIFFER',
      hint: expect.stringContaining("SET bytea_output = 'hex'"),
    })
    await pool.close()
    await admin.execute(0, write(`alter database "${database}" reset all`))
    await admin.close()
  })

  test.skipIf(haproxy === undefined)('HAProxy that goes away and comes back', async () => {
    await using proxy = await startHaproxy({ targets: [cluster.shards[0]!.url] })
    const pool = createShardPool(topology(proxy.url, 'direct'), { retry: { maxRetries: 12 } })
    for (let run = 0; run < 5; run++)
      expect((await pool.execute(0, read('select 1 as one where 1 = $1', 1))).rowCount).toBe(1)
    await proxy.kill()
    const during = pool.execute(0, read('select 1 as one where 1 = $1', 1))
    await proxy.start()
    expect((await during).rows).toEqual([{ one: 1 }])
    await pool.close()
  })
})
