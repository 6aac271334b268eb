import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { ShardPoolOptions } from '../../src/pool/pool-options.ts'
import type { Lease, ShardPool } from '../../src/pool/shard-pool.ts'
import { failureOf, read, topologyOf, write } from './pool-fixture.ts'

const inSeconds = (seconds: number) => performance.now() + seconds * 1_000

describe('exclusive sessions', () => {
  let cluster: LocalCluster
  let pool: ShardPool

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  })
  afterAll(() => cluster.stop())
  afterEach(() => pool.close())

  const open = (options: ShardPoolOptions = {}) => {
    pool = createShardPool(topologyOf(cluster), options)
  }
  const activity = async (pattern: string) => {
    const client = await pool.direct(1)
    const { rows } = await client.query<{ n: number }>(
      "select count(*)::int n from pg_stat_activity where query like $1 and state = 'active' and pid <> pg_backend_pid()",
      [pattern],
    )
    await client.end()
    return rows[0]!.n
  }
  const gone = async (pattern: string) => expect.poll(() => activity(pattern), { timeout: 20_000 }).toBe(0)

  test('rows beyond what a statement keeps are counted, on both lanes', async () => {
    open()
    const many = { ...read('select g from generate_series(1, 5000) g'), rows: 'text' as const, keepRows: 10 }
    for (let run = 0; run < 3; run++) {
      const { rows, rowCount } = await pool.execute(0, many)
      expect([rows.length, rowCount]).toEqual([10, 5000])
    }
  })

  test('COPY as a statement is refused, and leaves the session in order', async () => {
    open({ size: { minimum: 0, maximum: 1, overflow: 0 } })
    await pool.execute(0, write('create table copied (k int)'))
    await pool.execute(0, write('insert into copied values (1), (2)'))
    const copies = ['copy copied from stdin', 'copy copied to stdout']
    for (const sql of copies.flatMap((copy) => [copy, `select 1; ${copy}`])) {
      expect(await failureOf(pool.execute(0, write(sql)))).toMatchObject({ code: 'COPY_NEEDS_CLIENT' })
      const lease = await pool.lease(0)
      await lease.execute(write('begin'))
      expect(await failureOf(lease.execute(write(sql)))).toMatchObject({ code: 'COPY_NEEDS_CLIENT' })
      await lease.execute(write('rollback'))
      expect((await lease.execute(read('select k from copied order by k'))).rows).toEqual([{ k: 1 }, { k: 2 }])
      lease.release()
    }
  })

  test('a statement that cannot be sent is an error of its own, on every path', async () => {
    open({ size: { minimum: 0, maximum: 1, overflow: 0 } })
    const count = 65_537
    const list = Array.from({ length: count }, (_, index) => `$${index + 1}`).join(',')
    const tooMany = read(`select 1 as one where 1 in (${list})`, ...Array.from({ length: count }, () => 1))
    const unsendable = read('select $1::int as one', { toPostgres: () => fail() })
    const inTransaction = async (work: (lease: Lease) => Promise<unknown>) => {
      const lease = await pool.lease(0)
      await lease.execute(write('begin'))
      const failure = await failureOf(work(lease))
      // Nothing was sent: the transaction goes on.
      expect((await lease.execute(read('select 1 as one'))).rows).toEqual([{ one: 1 }])
      expect((await lease.execute(write('commit'))).command).toBe('COMMIT')
      lease.release()
      return failure
    }
    for (const [statement, expected] of [
      [tooMany, { code: 'TOO_MANY_PARAMETERS', details: { count } }],
      [unsendable, { message: 'cannot be sent' }],
    ] as const) {
      expect(await failureOf(pool.execute(0, statement))).toMatchObject(expected)
      expect(await inTransaction((lease) => lease.execute(statement))).toMatchObject(expected)
      const batched = inTransaction((lease) => lease.execute(statement, undefined, { behind: () => 'select 2' }))
      expect(await batched).toMatchObject(expected)
      expect(await inTransaction((lease) => lease.stream(statement, 5).next())).toMatchObject(expected)
    }
    const lease = await pool.lease(0)
    expect(await failureOf(lease.stream(tooMany, 5).next())).toMatchObject({ code: 'TOO_MANY_PARAMETERS' })
    expect((await lease.execute(read('select 1 as one'))).rows).toEqual([{ one: 1 }])
    lease.release()
  })

  test('a stream whose connection goes away while it is being closed is over', async () => {
    open()
    const lease = await pool.lease(0)
    const client = lease.client as unknown as { connection: { stream: { destroy(): void } } }
    const stream = lease.stream(read('select g from generate_series(1, 100) g'), 5)
    expect((await stream.next()).value.rows).toHaveLength(5)
    const closing = stream.return?.()
    client.connection.stream.destroy()
    await closing
    lease.destroy()
    expect((await pool.execute(0, read('select 1 as one'))).rows).toEqual([{ one: 1 }])
  })

  test('every lane has the pinned settings, whatever the role or the database say', async () => {
    open({ timeZone: 'Asia/Kathmandu' })
    const role = decodeURIComponent(new URL(cluster.shards[0]!.url).username)
    await pool.execute(0, write(`alter role "${role}" set datestyle = 'German'`))
    await pool.execute(0, write(`alter role "${role}" set bytea_output = 'escape'`))
    await pool.close()
    open({ timeZone: 'Asia/Kathmandu' })
    const sql = `select current_setting('DateStyle') d, current_setting('bytea_output') b, current_setting('TimeZone') t,
      current_setting('IntervalStyle') i, current_setting('extra_float_digits') e`
    const expected = { d: 'ISO, MDY', b: 'hex', t: 'Asia/Kathmandu', i: 'postgres', e: '1' }
    const lease = await pool.lease(0)
    const direct = await pool.direct(0)
    for (let run = 0; run < 5; run++) expect((await pool.execute(0, read(sql))).rows).toEqual([expected])
    expect((await lease.execute(read(sql))).rows).toEqual([expected])
    expect((await direct.query(sql)).rows).toEqual([expected])
    await direct.end()
    await lease.execute(write(`alter role "${role}" reset all`))
    lease.release()
  })

  test('text rows are what the server sent', async () => {
    open()
    const sql = `select 1.50::numeric a, null::int b, '2026-01-31 10:00+02'::timestamptz c, '\\x00ff'::bytea d, '{1,null}'::int[] e,
      'null'::json f where $1::int = 1`
    const expected = [['1.50', null, '2026-01-31 08:00:00+00', '\\x00ff', '{1,NULL}', 'null']]
    for (let run = 0; run < 4; run++) {
      expect((await pool.execute(0, { ...read(sql, 1), rows: 'text' })).rows).toEqual(expected)
    }
  })

  test('streams in chunks, closes the portal early, and reports errors in the middle', async () => {
    open()
    const lease = await pool.lease(0)
    const sizes: number[] = []
    for await (const chunk of lease.stream(read('select g from generate_series(1, $1::int) g', 25), 10)) {
      sizes.push(chunk.rows.length)
    }
    expect(sizes).toEqual([10, 10, 5])
    for await (const chunk of lease.stream(read('select g from generate_series(1, 1000000) g'), 3)) {
      expect(chunk.rows).toEqual([{ g: 1 }, { g: 2 }, { g: 3 }])
      break
    }
    expect((await lease.execute(read("select count(*)::int n from pg_cursors where name <> ''"))).rows).toEqual([
      { n: 0 },
    ])
    const failing = lease.stream(read('select 10 / (5 - g) as x from generate_series(1, 10) g'), 2)
    const seen: unknown[] = []
    const failure = await failureOf(
      (async () => {
        for await (const chunk of failing) seen.push(...chunk.rows)
      })(),
    )
    expect(failure).toMatchObject({ code: '22012', shard: 'shard-1' })
    expect(seen).toHaveLength(4)
    expect((await lease.execute(read('select 1 as one'))).rows).toEqual([{ one: 1 }])
    lease.release()
  })

  test('a stream that fails at its very end, or at once, leaves the session in order', async () => {
    open()
    await pool.execute(0, write('create table late (id int unique deferrable initially deferred)'))
    const lease = await pool.lease(0)
    const drained = async (sql: string, chunkSize = 10) => {
      const seen: unknown[] = []
      for await (const chunk of lease.stream(write(sql), chunkSize)) seen.push(...chunk.rows)
      return seen
    }
    for (let round = 0; round < 3; round++) {
      const failure = await failureOf(drained('insert into late values (1), (1) returning id'))
      expect(failure).toMatchObject({ code: '23505', shard: 'shard-1' })
      const numbers = await Promise.all([1, 2, 3].map((n) => lease.execute(read(`select ${n} as n`))))
      expect(numbers.map(({ rows }) => rows)).toEqual([[{ n: 1 }], [{ n: 2 }], [{ n: 3 }]])
    }
    expect(await drained('insert into late values (1) returning id')).toEqual([{ id: 1 }])
    // An empty query, a statement without rows, and an end that falls on the end of a chunk.
    expect(await drained('')).toEqual([])
    expect(await drained('delete from late')).toEqual([])
    expect(await drained('select g from generate_series(1, 4) g', 2)).toHaveLength(4)
    expect(await failureOf(drained('selec'))).toMatchObject({ code: '42601' })
    expect(await failureOf(drained('copy late from stdin'))).toBeInstanceOf(Error)
    expect((await lease.execute(read('select 4 as n'))).rows).toEqual([{ n: 4 }])
    lease.release()
  })

  test('the server stops what runs past its deadline, and the session goes on without one', async () => {
    open({ size: { minimum: 0, maximum: 1, overflow: 0 } })
    const failure = await failureOf(
      pool.execute(0, read('select pg_sleep(30), 1 as late'), { deadline: inSeconds(0.3) }),
    )
    expect(failure.code).toBe('DEADLINE_EXCEEDED')
    await gone('%as late%')
    expect(
      (await pool.execute(0, read("select current_setting('statement_timeout') t, pg_sleep(0)::text s"))).rows[0],
    ).toMatchObject({ t: '0' })
    const passed = await failureOf(pool.execute(0, read('select pg_sleep(0)'), { deadline: performance.now() - 1 }))
    expect(passed.code).toBe('DEADLINE_EXCEEDED')
  })

  test('each abort strategy does what it says', async () => {
    open()
    const reason = new Error('enough')
    const abortAfterStart = async (strategy: 'ignore query' | 'cancel query' | 'kill session', tag: string) => {
      const controller = new AbortController()
      const running = failureOf(
        pool.execute(0, read(`select pg_sleep(1.5), '${tag}' as tag`), {
          signal: controller.signal,
          abortStrategy: strategy,
        }),
      )
      await expect.poll(() => activity(`%'${tag}' as tag%`), { timeout: 20_000 }).toBe(1)
      controller.abort(reason)
      expect(await running).toBe(reason)
    }
    await abortAfterStart('cancel query', 'canceled')
    expect(await activity("%'canceled' as tag%")).toBe(0)
    await abortAfterStart('kill session', 'killed')
    await gone("%'killed' as tag%")
    await abortAfterStart('ignore query', 'ignored')
    await gone("%'ignored' as tag%")
    expect((await pool.execute(0, read('select 1 as one'))).rows).toEqual([{ one: 1 }])
    const aborted = AbortSignal.abort(reason)
    expect(await failureOf(pool.execute(0, read('select 1'), { signal: aborted }))).toBe(reason)
  })

  test('a cancel that comes when its statement is over hits no other', async () => {
    open({ size: { minimum: 0, maximum: 1, overflow: 0 } })
    const outcomes: string[] = []
    for (let run = 0; run < 40; run++) {
      const controller = new AbortController()
      const options = { signal: controller.signal, abortStrategy: 'cancel query' } as const
      setTimeout(() => controller.abort(new Error('enough')), 20 + (run % 10) * 0.3)
      await pool.execute(0, read('select pg_sleep(0.02)'), options).catch(() => undefined)
      // The pool has this one session.
      outcomes.push(
        await pool.execute(0, read('select pg_sleep(0.005)')).then(
          () => 'done',
          (error: Error) => error.message,
        ),
      )
    }
    expect(new Set(outcomes)).toEqual(new Set(['done']))
  })

  test('overflow opens and closes, then callers wait, then they are told', async () => {
    open({ size: { minimum: 0, maximum: 1, overflow: 1, acquireTimeoutMs: 300 } })
    const first = await pool.lease(0)
    const second = await pool.lease(0)
    const late = await failureOf(pool.lease(0))
    expect(late).toMatchObject({ code: 'POOL_TIMEOUT', details: { server: expect.stringContaining('127.0.0.1') } })
    const third = pool.lease(0)
    second.release()
    ;(await third).release()
    first.release()
    const controller = new AbortController()
    const [a, b] = [await pool.lease(0), await pool.lease(0)]
    const waiting = failureOf(pool.lease(0, { signal: controller.signal }))
    controller.abort(new Error('gave up'))
    expect((await waiting).message).toBe('gave up')
    a.release()
    b.release()
    await expect
      .poll(
        async () =>
          (
            await pool.execute(
              1,
              read('select count(*)::int n from pg_stat_activity where datname = $1', cluster.shards[0]!.database),
            )
          ).rows,
        { timeout: 20_000 },
      )
      .toEqual([{ n: 1 }])
  })

  test('a session given back inside a transaction is closed, and a lease ends once', async () => {
    open({ size: { minimum: 0, maximum: 1, overflow: 0 } })
    const lease = await pool.lease(0)
    const { processId } = lease
    await lease.execute(write('begin'))
    await lease.execute(write('create table dirty (k int)'))
    lease.release()
    lease.release()
    expect(() => lease.execute(read('select 1'))).toThrow(/given back/)
    const next = await pool.lease(0)
    expect(next.processId).not.toBe(processId)
    expect((await next.execute(read("select to_regclass('dirty') as t"))).rows).toEqual([{ t: null }])
    next.release()
  })

  test('close waits for what runs and leaves nothing', async () => {
    open()
    const running = pool.execute(0, read('select pg_sleep(0.4), 1 as last'))
    const lease = await pool.lease(1)
    const closing = pool.close()
    expect(await failureOf(pool.execute(0, read('select pg_sleep(0)')))).toMatchObject({ code: 'POOL_CLOSED' })
    expect((await running).rowCount).toBe(1)
    lease.release()
    await closing
    open({ applicationName: 'observer' })
    const sql = "select count(*)::int n from pg_stat_activity where application_name = 'shardwright'"
    await expect.poll(async () => (await pool.execute(0, read(sql))).rows, { timeout: 20_000 }).toEqual([{ n: 0 }])
  })

  test('a wrong password, database or port is a typed error without the secret', async () => {
    open()
    const { url } = cluster.shards[0]!
    const cases = [
      ['AUTHENTICATION_FAILED', url.replace(/\/\/([^:]+):[^@]*@/, '//$1:w-secret@')],
      ['DATABASE_NOT_FOUND', url.replace(/\/[^/]*$/, '/nowhere')],
      ['SHARD_UNREACHABLE', url.replace(/:\d+\//, ':1/')],
    ] as const
    for (const [code, wrong] of cases) {
      const topology = topologyOf(cluster)
      const shards = [
        { ...topology.shards[0]!, primary: { ...topology.shards[0]!.primary, url: wrong, directUrl: wrong } },
      ]
      const broken = createShardPool({ ...topology, shards }, { retry: { maxRetries: 0 } })
      const failure = await failureOf(broken.execute(0, read('select 1')))
      expect(failure).toMatchObject({ code, details: { shard: 'shard-1' } })
      expect(JSON.stringify({ ...failure, message: failure.message })).not.toContain('w-secret')
      await broken.close()
    }
  })
})

function fail(): never {
  throw new Error('cannot be sent')
}
