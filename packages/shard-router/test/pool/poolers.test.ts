import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { defineTopology, fleetOf } from '@shardwright/core'
import {
  findProgram,
  type LocalCluster,
  startHaproxy,
  startLocalCluster,
  startPgBouncer,
} from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { Lease, ShardPool } from '../../src/pool/shard-pool.ts'
import { failureOf, read, write } from './pool-fixture.ts'

const pgbouncer = await findProgram('pgbouncer')
const haproxy = await findProgram('haproxy')
const version = pgbouncer === undefined ? [0, 0] : await versionOf(pgbouncer.path)
const keepsNames = version[0]! > 1 || (version[0] === 1 && version[1]! >= 21)

async function versionOf(path: string): Promise<number[]> {
  const { stdout } = await promisify(execFile)(path, ['--version'])
  return (/(\d+)\.(\d+)/.exec(stdout) ?? []).slice(1).map(Number)
}

function closing(pool: ShardPool): ShardPool & AsyncDisposable {
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.close() })
}

function releasing(lease: Lease): { readonly lease: Lease } & AsyncDisposable {
  return { lease, [Symbol.asyncDispose]: async () => lease.release() }
}

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

  test.skipIf(pgbouncer === undefined)('a pooler that is another than the topology says is refused', async () => {
    const refusals = async (pooler: 'direct' | 'pgbouncer-session', url: string) => {
      await using pool = closing(
        createShardPool(topology(url, pooler), { size: { minimum: 0 }, retry: { maxRetries: 0 } }),
      )
      const lease = await pool.lease(0).catch((error: unknown) => error as { code: string })
      if ('code' in lease) return lease
      await using held = releasing(lease)
      expect((await held.lease.execute(read('select 1 as one'))).rows).toEqual([{ one: 1 }])
      // The second session gets the first one's process where the pooler lends it to whoever comes.
      return await failureOf(pool.execute(0, read('select name from pg_prepared_statements where name = $1', '')))
    }
    for (const [poolMode, ignored, pooler] of [
      ['session', '', 'direct'],
      ['session', ',options', 'direct'],
      ['transaction', ',options', 'direct'],
      ['transaction', '', 'pgbouncer-session'],
    ] as const) {
      await using bouncer = await startPgBouncer({
        target: cluster.shards[0]!.url,
        poolMode,
        settings: { ignore_startup_parameters: `extra_float_digits${ignored}` },
      })
      expect(await refusals(pooler, bouncer.url)).toMatchObject({
        code: 'POOLER_MISMATCH',
        hint: expect.stringContaining("pooler: 'pgbouncer-session'"),
      })
    }
  })

  test.skipIf(pgbouncer === undefined)('the direct lane and the fleet do not go through a pooler', async () => {
    await using bouncer = await startPgBouncer({ target: cluster.shards[0]!.url, poolMode: 'transaction' })
    const primary = { url: bouncer.url, pooler: 'pgbouncer-transaction' as const }
    for (const directUrl of [undefined, `${bouncer.url}?x=1`]) {
      const known = defineTopology({
        id: 'poolers',
        hash: 'postgres',
        shards: [{ id: 'shard-1', primary: { ...primary, directUrl } }],
      })
      await using pool = closing(createShardPool(known))
      const code = directUrl === undefined ? 'NOT_BEHIND_POOLER' : 'POOLER_MISMATCH'
      expect(await failureOf(pool.direct(0))).toMatchObject({ code })
      if (directUrl !== undefined) continue
      const fleet = fleetOf(known, pg.Client as never)
      expect(await failureOf(fleet.shards[0]!.connect())).toMatchObject({ code: 'DIRECT_URL_MISSING' })
    }
  })

  test.skipIf(pgbouncer === undefined || keepsNames)(
    'names that are lost in a transaction are told, and given up',
    async () => {
      await using bouncer = await startPgBouncer({ target: cluster.shards[0]!.url, poolMode: 'transaction' })
      const server = { url: bouncer.url, directUrl: cluster.shards[0]!.url, pooler: 'pgbouncer-transaction' as const }
      const shards = [{ id: 'shard-1', primary: { ...server, preparedStatements: true } }]
      await using pool = closing(createShardPool(defineTopology({ id: 'poolers', hash: 'postgres', shards })))
      await pool.execute(0, write('drop table if exists kept; create table kept (k int primary key, n int)'))
      const transfer = async () => {
        await using held = releasing(await pool.lease(0))
        await held.lease.execute(write('begin'))
        for (const k of [1, 2]) await held.lease.execute(write('update kept set n = n + $1 where k = $2', 1, k))
        await held.lease.execute(write('commit'))
      }
      const failures: unknown[] = []
      for (let turn = 0; turn < 12; turn++) {
        const outcomes = await Promise.allSettled(Array.from({ length: 6 }, transfer))
        failures.push(...outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : [])))
      }
      for (const failure of failures) expect(failure).toMatchObject({ code: 'POOLER_MISMATCH' })
      await Promise.all(Array.from({ length: 12 }, transfer))
    },
  )

  test.skipIf(pgbouncer === undefined)(
    'a server that was promoted behind a pooler is no standby any more',
    async () => {
      await using replicated = await startLocalCluster({ shards: 1, replicasPerShard: 1 })
      const [shard] = replicated.shards
      const [replica] = shard!.replicas
      await using proxy = await startPgBouncer({ target: replica!.url, poolMode: 'transaction' })
      const primary = { url: proxy.url, pooler: 'pgbouncer-transaction' as const, directUrl: replica!.url }
      const promoted = defineTopology({ id: 'promoted', hash: 'postgres', shards: [{ id: 'shard-1', primary }] })
      await using pool = closing(createShardPool(promoted, { retry: { maxRetries: 0 } }))
      expect(await failureOf(pool.execute(0, read('select 1 as one')))).toMatchObject({ code: 'NO_PRIMARY' })
      await shard!.stop({ mode: 'fast' })
      await replica!.promote()
      // Who uses the pooler's session first hears of it. The pooler tells all later ones what the server said at first.
      await using first = closing(createShardPool(promoted))
      await first.execute(0, read('select 1 as one'))
      expect((await pool.execute(0, write('create table written (k int)'))).command).toBe('CREATE')
    },
  )

  describe.skipIf(!keepsNames)('PgBouncer that keeps prepared statements in transaction mode', () => {
    const open = async (settings: Record<string, string | number>) => {
      const bouncer = await startPgBouncer({ target: cluster.shards[0]!.url, poolMode: 'transaction', settings })
      const input = topology(bouncer.url, 'pgbouncer-transaction')
      const [shard] = input.shards
      const server = { url: bouncer.url, directUrl: cluster.shards[0]!.url, pooler: 'pgbouncer-transaction' as const }
      const pool = createShardPool(
        defineTopology({
          id: 'poolers',
          hash: 'postgres',
          shards: [{ id: shard!.id, primary: { ...server, preparedStatements: true } }],
        }),
        { size: { minimum: 0, maximum: 8, overflow: 0 } },
      )
      const direct = await pool.direct(0)
      await direct.query('drop table if exists named; create table named (k int primary key, n int default 0)')
      await direct.query('insert into named (k) select generate_series(0, 99)')
      return {
        pool,
        direct,
        async [Symbol.asyncDispose]() {
          await direct.end()
          await pool.close()
          await bouncer[Symbol.asyncDispose]()
        },
      }
    }
    const byKey = (k: number) => read('select * from named where k = $1', k)
    const round = (pool: ShardPool) =>
      Promise.all(Array.from({ length: 40 }, async (_, k) => (await pool.execute(0, byKey(k))).rows[0]))

    test('statements go by name over more clients than servers, and DDL is not noticed', async () => {
      await using opened = await open({ default_pool_size: 3, max_prepared_statements: 50 })
      const { pool, direct } = opened
      const expected = (extra: object) => Array.from({ length: 40 }, (_, k) => ({ k, n: 0, ...extra }))
      for (let turn = 0; turn < 4; turn++) expect(await round(pool)).toEqual(expected({}))
      const names = "select count(*)::int as n from pg_prepared_statements where statement like '%from named where%'"
      // Any of the three servers answers; those statements were prepared on each.
      expect((await pool.execute(0, read(names))).rows).toEqual([{ n: 1 }])
      await direct.query(`alter table named add column more text default 'x'`)
      for (let turn = 0; turn < 4; turn++) expect(await round(pool)).toEqual(expected({ more: 'x' }))
      await direct.query('alter table named drop column more')
      for (let turn = 0; turn < 4; turn++) expect(await round(pool)).toEqual(expected({}))
      const transfers = Array.from({ length: 24 }, async (_, turn) => {
        const lease = await pool.lease(0)
        await lease.execute(write('begin'))
        for (const k of [turn % 2, 1 - (turn % 2)].toSorted()) {
          await lease.execute(write('update named set n = n + $1 where k = $2', 1, k))
        }
        await lease.execute(write('commit'))
        lease.release()
      })
      await Promise.all(transfers)
      expect((await pool.execute(0, read('select n from named where k = $1', 1))).rows).toEqual([{ n: 24 }])
    })

    test('where it keeps none after all, autocommit statements do not notice', async () => {
      await using opened = await open({ default_pool_size: 2, max_prepared_statements: 0 })
      for (let turn = 0; turn < 5; turn++) {
        expect(await round(opened.pool)).toEqual(Array.from({ length: 40 }, (_, k) => ({ k, n: 0 })))
      }
    })
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
