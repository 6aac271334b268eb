import { noTelemetry, type TelemetryAttributes } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { ShardPoolOptions } from '../../src/pool/pool-options.ts'
import type { ShardPool } from '../../src/pool/shard-pool.ts'
import { failureOf, read, topologyOf, write } from './pool-fixture.ts'

describe('the pipelined lane', () => {
  let cluster: LocalCluster
  let pool: ShardPool

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 1, databasePerShard: true })
  })
  afterAll(() => cluster.stop())
  afterEach(() => pool.close())

  const open = async (options: ShardPoolOptions = {}) => {
    // On a busy machine a shape may be found slow, and would leave the lane.
    pool = createShardPool(topologyOf(cluster), { lane: { slowMs: 60_000 }, ...options })
    await pool.execute(0, write('drop schema if exists lane cascade'))
    await pool.execute(0, write('create schema lane'))
    await pool.execute(0, write('create table lane.items (k int primary key, v text)'))
    await pool.execute(0, write("insert into lane.items select g, 'v' || g from generate_series(1, 100) g"))
  }
  const names = async () => {
    const sql = 'select name, statement from pg_prepared_statements where name <> $1'
    const { rows } = await pool.execute(0, read(sql, ''))
    return (rows as { name: string; statement: string }[]).filter((row) => row.statement !== sql)
  }

  test('prepares a shape once, from its second use', async () => {
    await open()
    const sql = 'select * from lane.items where k = $1'
    for (let k = 1; k <= 20; k++) {
      const { rows } = await pool.execute(0, read(sql, k))
      expect(rows).toEqual([{ k, v: `v${k}` }])
    }
    const shares = await Promise.all(Array.from({ length: 30 }, (_, k) => pool.execute(0, read(sql, k + 1))))
    expect(shares.map((share) => share.rows)).toEqual(
      Array.from({ length: 30 }, (_, k) => [{ k: k + 1, v: `v${k + 1}` }]),
    )
    expect(await names()).toHaveLength(1)
  })

  test('gives fields, counts and tags also where the server no longer describes them', async () => {
    await open()
    for (let run = 0; run < 4; run++) {
      const found = await pool.execute(0, read('select k, v from lane.items where k < $1', 3))
      expect(found.fields.map((field) => [field.name, field.dataTypeID])).toEqual([
        ['k', 23],
        ['v', 25],
      ])
      expect([found.command, found.rowCount]).toEqual(['SELECT', 2])
      const none = await pool.execute(0, read('select k, v from lane.items where k < $1', 0))
      expect([none.rowCount, none.rows, none.fields.length]).toEqual([0, [], 2])
      const changed = await pool.execute(0, write('update lane.items set v = $1 where k <= $2', 'new', 5))
      expect([changed.command, changed.rowCount, changed.rows, changed.fields]).toEqual(['UPDATE', 5, [], []])
    }
  })

  test('tells every caller the true error when a shape fails in flight', async () => {
    await open()
    const sql = 'select missing from lane.items where k = $1'
    for (let round = 0; round < 3; round++) {
      const failures = await Promise.all(Array.from({ length: 8 }, () => failureOf(pool.execute(0, read(sql, 1)))))
      expect(new Set(failures.map((failure) => failure.code))).toEqual(new Set(['42703']))
      expect(failures[0]).toMatchObject({ shard: 'shard-1' })
    }
    expect((await pool.execute(0, read('select k from lane.items where k = $1', 7))).rows).toEqual([{ k: 7 }])
  })

  test('sends what follows behind the statements of one turn, once, and sees what they did', async () => {
    await open({ lane: { slowMs: 60_000, maxClients: 1 } })
    await pool.execute(0, write('create table lane.turns (n serial primary key, k int)'))
    const followedBy = Object.freeze(read('select n from lane.turns where n > 0 order by n desc limit 1'))
    const insert = (k: number) => ({ ...write('insert into lane.turns (k) values ($1)', k), followedBy })
    await pool.execute(0, insert(0))
    const results = await Promise.all([1, 2, 3, 4].map((k) => pool.execute(0, insert(k))))
    expect(results.map((result) => result.followedBy?.rows)).toEqual(results.map(() => [{ n: 5 }]))
    expect(new Set(results.map((result) => result.followedBy)).size).toBe(1)
    // A statement that failed has no answer to wait for, and keeps nobody else from theirs.
    const [failed, kept] = await Promise.allSettled([
      pool.execute(0, { ...write('insert into lane.turns (n, k) values ($1, $2)', 1, 1), followedBy }),
      pool.execute(0, insert(6)),
    ])
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: '23505' } })
    expect(kept).toMatchObject({ status: 'fulfilled', value: { followedBy: { rows: [{ n: 6 }] } } })
    // On a session of its own nothing travels behind it.
    const alone = await pool.execute(0, { ...read('select pg_sleep(0) from lane.items where k = 1'), followedBy })
    expect(alone.followedBy).toBeUndefined()
  })

  test('one bad value fails alone', async () => {
    await open()
    const sql = 'select k from lane.items where k = $1'
    for (let k = 1; k < 4; k++) await pool.execute(0, read(sql, k))
    const results = await Promise.allSettled(
      [1, 'x', 2, { toPostgres: () => fail() }, 3].map((k) => pool.execute(0, read(sql, k))),
    )
    expect(results.map((result) => result.status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    expect(results[1]).toMatchObject({ reason: { code: '22P02' } })
  })

  test('a DDL change of the result type is not seen by callers', async () => {
    await open()
    const sql = 'select * from lane.items where k = $1'
    for (let k = 1; k < 4; k++) await pool.execute(0, read(sql, k))
    await pool.execute(0, write('alter table lane.items add column extra int default 9'))
    const after = await Promise.all([1, 2, 3].map((k) => pool.execute(0, read(sql, k))))
    expect(after.map((result) => result.rows)).toEqual([1, 2, 3].map((k) => [{ k, v: `v${k}`, extra: 9 }]))
    for (let k = 1; k < 4; k++) expect((await pool.execute(0, read(sql, k))).fields).toHaveLength(3)
  })

  test('a name that the session lost is prepared again', async () => {
    await open()
    const sql = 'update lane.items set v = v || $1 where k = $2'
    for (let run = 0; run < 3; run++) await pool.execute(0, write(sql, '.', 1))
    // What a pooler does when it hands out another session.
    const [name] = await names()
    expect(name?.statement).toBe(sql)
    await pool.execute(
      0,
      write('create function lane.forget() returns int language plpgsql as $$ begin deallocate all; return 1; end $$'),
    )
    await pool.execute(0, write('create view lane.forgetting as select lane.forget() as k'))
    await pool.execute(0, read('select k from lane.forgetting where k = $1', 1))
    expect((await pool.execute(0, write(sql, '.', 1))).rowCount).toBe(1)
    expect((await pool.execute(0, read('select v from lane.items where k = $1', 1))).rows).toEqual([{ v: 'v1....' }])
  })

  test('a lock of an own transaction does not stop its own reads', async () => {
    await open()
    const update = write('update lane.items set v = $1 where k = $2', 'auto', 1)
    const point = read('select v from lane.items where k = $1', 2)
    for (let run = 0; run < 3; run++) await Promise.all([pool.execute(0, update), pool.execute(0, point)])
    const lease = await pool.lease(0)
    await lease.execute(write('begin'))
    await lease.execute(write('update lane.items set v = $1 where k = $2', 'mine', 1))
    let done = false
    const waiting = pool.execute(0, update).then((result) => {
      done = true
      return result
    })
    // On one pipeline without a lock timeout this read waits behind `waiting`, and that one for us.
    for (let run = 0; run < 5; run++) expect((await pool.execute(0, point)).rows).toEqual([{ v: 'v2' }])
    expect(done).toBe(false)
    await lease.execute(write('commit'))
    lease.release()
    expect((await waiting).rowCount).toBe(1)
  })

  test('reads overtake writes that wait for a lock, and a statement that is slow for once', async () => {
    await open({ lane: { slowMs: 60_000, maxClients: 2 } })
    await pool.execute(0, write('create view lane.slow as select k, pg_sleep(k / 1000.0)::text as s from lane.items'))
    await pool.execute(0, write('insert into lane.items values (900, $1)', 'slow'))
    const update = (k: number) => pool.execute(0, write('update lane.items set v = $1 where k = $2', 'auto', k))
    const point = read('select k from lane.items where k = $1', 2)
    const slow = (k: number) => pool.execute(0, read('select k from lane.slow where k = $1 and s = $2', k, ''))
    for (let run = 0; run < 3; run++) await Promise.all([update(1), pool.execute(0, point), slow(0)])
    const timed = async () => {
      const start = performance.now()
      expect((await pool.execute(0, point)).rows).toEqual([{ k: 2 }])
      return performance.now() - start
    }
    const lease = await pool.lease(0)
    await lease.execute(write('begin'))
    await lease.execute(write('update lane.items set v = $1 where k = $2', 'mine', 1))
    // Of these each waits 50 ms for the lock, one after the other.
    const waiting = Promise.all(Array.from({ length: 60 }, () => update(1)))
    const behind = await Promise.all(Array.from({ length: 20 }, timed))
    expect(Math.max(...behind)).toBeLessThan(1_500)
    await lease.execute(write('commit'))
    lease.release()
    expect((await waiting).map((result) => result.rowCount)).toEqual(Array(60).fill(1))
    const once = slow(900)
    const afterwards = await Promise.all(Array.from({ length: 20 }, timed))
    expect(Math.max(...afterwards)).toBeLessThan(700)
    expect((await once).rows).toEqual([{ k: 900 }])
  })

  test('what runs longer than the cap runs once more, alone, and is known from then on', async () => {
    await open({ lane: { capMs: 200 } })
    await pool.execute(
      0,
      write('create view lane.slow as select k, pg_sleep(0.5)::text as s from lane.items where k = 1'),
    )
    await pool.execute(
      0,
      write(
        'create function lane.slow_insert() returns trigger language plpgsql as $$ begin perform pg_sleep(0.4); return new; end $$',
      ),
    )
    await pool.execute(0, write('create table lane.log (k int)'))
    await pool.execute(
      0,
      write('create trigger slow before insert on lane.log for each row execute function lane.slow_insert()'),
    )
    expect((await pool.execute(0, read('select k from lane.slow where k = $1', 1))).rows).toEqual([{ k: 1 }])
    await pool.execute(0, write('insert into lane.log (k) values ($1)', 1))
    await pool.execute(0, write('insert into lane.log (k) values ($1)', 2))
    expect((await pool.execute(0, read('select k from lane.log where k > $1', 0))).rows).toEqual([{ k: 1 }, { k: 2 }])
  })

  test('a cancel by somebody else is an error, not a second run', async () => {
    await open()
    await pool.execute(
      0,
      write('create view lane.slow as select k, pg_sleep(0.6)::text as s from lane.items where k = 1'),
    )
    const running = failureOf(pool.execute(0, read('select k, s from lane.slow where k = $1', 1)))
    const admin = await pool.direct(0)
    for (let found = 0; found === 0; ) {
      const sql =
        "select pg_cancel_backend(pid) from pg_stat_activity where query like 'select k, s from lane.slow%' and state = 'active'"
      found = (await admin.query(sql)).rows.length
    }
    await admin.end()
    expect((await running).code).toBe('57014')
  })

  test('large values go beside the lane, however light the statement looks', async () => {
    await open()
    const backend = 'select k, (select pid from lane.me) as pid from lane.items where k = $1 and v <> $2'
    await pool.execute(0, write('create view lane.me as select pg_backend_pid() as pid'))
    const pidWith = async (value: unknown) => (await pool.execute(0, read(backend, 1, value))).rows[0]
    const usual = await pidWith('x')
    for (let run = 0; run < 3; run++) expect(await pidWith('y')).toEqual(usual)
    expect(await pidWith('x'.repeat(300_000))).not.toEqual(usual)
    expect(await pidWith(`{${'x,'.repeat(200_000)}x}`)).not.toEqual(usual)
    const { rows } = await pool.execute(0, read('select k from lane.items where k = any($1)', Array(20_000).fill(3)))
    expect(rows).toEqual([{ k: 3 }])
    expect(await pidWith('y')).toEqual(usual)
  })

  test('a pause of this process is not taken for a server that does not answer', async () => {
    await open({ lane: { capMs: 100, answerGraceMs: 100, slowMs: 60_000 }, retry: { maxRetries: 0 } })
    const update = (k: number) => pool.execute(0, write('update lane.items set v = $1 where k = $2', 'new', k))
    for (let run = 0; run < 3; run++) await update(1)
    const running = Promise.all(Array.from({ length: 20 }, (_, k) => update(k + 1)))
    // Sent, and not one answer read.
    await new Promise((resolve) => setImmediate(resolve))
    const until = performance.now() + 800
    while (performance.now() < until);
    expect((await running).map((result) => result.rowCount)).toEqual(Array(20).fill(1))
  })

  test('a pause of this process does not drive out the statements that it made long', async () => {
    let lane: unknown
    const telemetry = {
      ...noTelemetry,
      record: (name: string, _value: number, attributes: TelemetryAttributes = {}) => {
        if (name === 'shardwright.pool.statement_ms') lane = attributes.lane
      },
    }
    await open({ telemetry, lane: { slowMs: 20 } })
    const one = () => pool.execute(0, read('select v from lane.items where k = $1', 1))
    for (let run = 0; run < 200 || (lane !== 'pipelined' && run < 5_000); run++) await one()
    expect(lane).toBe('pipelined')
    const running = one()
    await new Promise((resolve) => setImmediate(resolve))
    const until = performance.now() + 1_000
    while (performance.now() < until);
    await running
    await one()
    expect(lane).toBe('pipelined')
  })

  test('a session that an administrator ends is one loss, and the server is used at once', async () => {
    await open({ breaker: { maxFails: 2, failTimeoutMs: 30_000 } })
    const point = (k: number) => pool.execute(0, read('select k from lane.items where k = $1', k))
    const update = (k: number) => pool.execute(0, write('update lane.items set v = $1 where k = $2', 'new', k))
    await pool.execute(0, write('create view lane.slow as select k, pg_sleep(0.4)::text as s from lane.items'))
    for (let run = 0; run < 3; run++) await Promise.all([point(1), update(1)])
    const admin = await pool.direct(0)
    // All that is behind this one is on the connection when it goes.
    const first = pool.execute(0, read('select k, s from lane.slow where k = $1', 7))
    const behind = Promise.allSettled(Array.from({ length: 20 }, (_, k) => (k % 2 ? point(k) : update(k))))
    const sql = "select pg_terminate_backend(pid) from pg_stat_activity where query like 'select k, s from lane.slow%'"
    await expect.poll(async () => (await admin.query(`${sql} and state = 'active'`)).rowCount).toBe(1)
    expect((await first).rows).toMatchObject([{ k: 7 }])
    const outcomes = (await behind).map(({ status }) => status)
    expect(outcomes).toContain('rejected')
    expect(outcomes.filter((_, k) => k % 2 === 1)).toEqual(Array(10).fill('fulfilled'))
    await admin.end()
    for (let k = 1; k < 20; k++) expect((await point(k)).rows).toEqual([{ k }])
    expect((await update(1)).rowCount).toBe(1)
  })

  test('a client is replaced after so many names, and nobody notices', async () => {
    await open({ lane: { maxNames: 5, slowMs: 60_000 } })
    const pids = new Set<number>()
    for (let shape = 0; shape < 40; shape++) {
      const sql = `select k, ${shape} as shape from lane.items where k = $1`
      const rows = await Promise.all([1, 2, 3].map((k) => pool.execute(0, read(sql, k))))
      expect(rows.map((row) => row.rows[0])).toEqual([1, 2, 3].map((k) => ({ k, shape })))
    }
    const { rows } = await pool.execute(
      0,
      read('select pid from pg_stat_activity where datname = $1', cluster.shards[0]!.database),
    )
    for (const row of rows) pids.add((row as { pid: number }).pid)
    expect(pids.size).toBeLessThan(12)
  })

  test('script, SET and advisory locks never run on the shared client', async () => {
    await open()
    await pool.execute(0, write("set search_path = 'lane'"))
    await pool.execute(0, write('begin'))
    await pool.execute(0, write('select 1 as one; select 2 as two'))
    for (let run = 0; run < 4; run++) {
      const { rows } = await pool.execute(0, read('select current_schema as s, k from lane.items where k = $1', 1))
      expect(rows).toEqual([{ s: 'public', k: 1 }])
    }
  })

  test('keeps columns called __proto__ and constructor', async () => {
    await open()
    const sql = 'select k as "__proto__", v as constructor from lane.items where k = $1'
    for (let run = 0; run < 3; run++) {
      const { rows } = await pool.execute(0, read(sql, 3))
      expect(Object.entries(rows[0] as object)).toEqual([
        ['__proto__', 3],
        ['constructor', 'v3'],
      ])
    }
  })
})

function fail(): never {
  throw new Error('cannot be sent')
}
