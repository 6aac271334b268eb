import { defineTopology, ReadContext, runInReadContext } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { ShardPoolOptions } from '../../src/pool/pool-options.ts'
import { installIdentity } from '../../src/pool/shard-identity.ts'
import type { ShardPool } from '../../src/pool/shard-pool.ts'
import { failureOf, read, topologyOf, write } from './pool-fixture.ts'

const insert = (k: number) => write('insert into ledger (k) values ($1)', k)
const point = read('select k from ledger where k = $1', 0)

describe('failures', () => {
  let cluster: LocalCluster
  let pool: ShardPool

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2 })
  })
  afterAll(() => cluster.stop())
  afterEach(() => pool.close())

  const open = async (options: ShardPoolOptions = {}) => {
    pool = createShardPool(topologyOf(cluster), options)
    for (const shard of [0, 1]) {
      await pool.execute(shard, write('drop table if exists ledger'))
      await pool.execute(shard, write('create table ledger (k int primary key)'))
      await pool.execute(shard, insert(0))
    }
  }

  test('a killed server costs reads time, writes an error that says they may be done, and neighbours nothing', async () => {
    await open({ retry: { maxRetries: 12, initialDelayMs: 100 } })
    for (let run = 0; run < 4; run++) await pool.execute(0, point)
    const acknowledged: number[] = []
    const unsure: number[] = []
    let stop = false
    let next = 1
    const writer = async () => {
      while (!stop) {
        const k = next++
        try {
          await pool.execute(0, insert(k))
          acknowledged.push(k)
        } catch (error) {
          expect(error).toMatchObject({ code: 'SHARD_UNREACHABLE', details: { shard: 'shard-1' } })
          unsure.push(k)
        }
      }
    }
    let reads = 0
    const reader = async () => {
      while (!stop) reads += (await pool.execute(0, point)).rowCount
    }
    const work = [writer(), writer(), reader(), reader()]
    await expect.poll(() => acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(50)
    await cluster.shards[0]!.kill()
    expect((await pool.execute(1, point)).rows).toEqual([{ k: 0 }])
    await cluster.shards[0]!.start()
    const before = { acknowledged: acknowledged.length, reads }
    await expect.poll(() => acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(before.acknowledged + 50)
    await expect.poll(() => reads, { timeout: 30_000 }).toBeGreaterThan(before.reads + 50)
    stop = true
    await Promise.all(work)
    const { rows } = await pool.execute(0, read('select k from ledger order by k'))
    const stored = new Set((rows as { k: number }[]).map((row) => row.k))
    expect(acknowledged.filter((k) => !stored.has(k))).toEqual([])
    for (const k of stored) expect(k === 0 || acknowledged.includes(k) || unsure.includes(k)).toBe(true)
  })

  test('the circuit opens, refuses at once, and closes by itself', async () => {
    await open({ retry: { maxRetries: 0 }, breaker: { maxFails: 3, failTimeoutMs: 300 } })
    await cluster.shards[0]!.stop()
    const codes: unknown[] = []
    await expect
      .poll(
        async () => {
          codes.push((await failureOf(pool.execute(0, point))).code)
          return codes.at(-1)
        },
        { timeout: 20_000 },
      )
      .toBe('CIRCUIT_OPEN')
    expect(codes).toContain('SHARD_UNREACHABLE')
    await cluster.shards[0]!.start()
    await expect
      .poll(
        () =>
          pool.execute(0, point).then(
            (result) => result.rowCount,
            () => 0,
          ),
        { timeout: 30_000 },
      )
      .toBe(1)
    expect((await pool.execute(0, insert(1))).rowCount).toBe(1)
  })

  test('a server that comes back is tried by a question of ours, not by what may take long', async () => {
    await open({ retry: { maxRetries: 0 }, breaker: { maxFails: 2, failTimeoutMs: 200 } })
    for (let run = 0; run < 4; run++) await pool.execute(0, point)
    const opened = async () => {
      await cluster.shards[0]!.kill()
      await expect
        .poll(async () => (await failureOf(pool.execute(0, point))).code, { timeout: 20_000 })
        .toBe('CIRCUIT_OPEN')
      await cluster.shards[0]!.start()
    }
    await opened()
    await new Promise((resolve) => setTimeout(resolve, 500))
    let slowIsOver = false
    const slow = pool.execute(0, read('select pg_sleep(1)')).then(() => {
      slowIsOver = true
    })
    expect((await pool.execute(0, point)).rowCount).toBe(1)
    expect(slowIsOver).toBe(false)
    await slow
    await opened()
    await cluster.shards[0]!.pause()
    await new Promise((resolve) => setTimeout(resolve, 800))
    try {
      const started = performance.now()
      const hanging = failureOf(pool.execute(0, point))
      const options = () => ({ deadline: performance.now() + 200 })
      const late = [pool.execute(0, point, options()), pool.lease(0, options())]
      expect((await Promise.all(late.map(failureOf))).map(({ code }) => code)).toEqual([
        'DEADLINE_EXCEEDED',
        'DEADLINE_EXCEEDED',
      ])
      expect(performance.now() - started).toBeLessThan(1_500)
      expect((await hanging).code).toBe('SHARD_UNREACHABLE')
    } finally {
      await cluster.shards[0]!.resume()
    }
  })

  test('what was given up before it was given is not sent', async () => {
    await open()
    for (let k = 10; k < 14; k++) await pool.execute(0, insert(k))
    const signal = AbortSignal.abort(new Error('enough'))
    expect((await failureOf(pool.execute(0, insert(20), { signal }))).message).toBe('enough')
    expect((await failureOf(pool.execute(0, insert(21), { deadline: performance.now() - 1 }))).code).toBe(
      'DEADLINE_EXCEEDED',
    )
    expect((await pool.execute(0, read('select k from ledger where k >= $1', 20))).rows).toEqual([])
  })

  test('a frozen server is given up on the pipelined lane', async () => {
    // On a busy machine a shape may be found slow, and would leave the lane.
    await open({ lane: { capMs: 300, answerGraceMs: 500, slowMs: 60_000 }, retry: { maxRetries: 0 } })
    for (let run = 0; run < 4; run++) await pool.execute(0, point)
    await cluster.shards[0]!.pause()
    const failures = await Promise.all([1, 2, 3].map(() => failureOf(pool.execute(0, point))))
    expect(failures.map((failure) => failure.code)).toEqual([
      'SHARD_UNREACHABLE',
      'SHARD_UNREACHABLE',
      'SHARD_UNREACHABLE',
    ])
    await cluster.shards[0]!.resume()
    expect((await pool.execute(0, point)).rowCount).toBe(1)
  })

  test('a frozen server is given up on sessions of their own too, and a long statement is not', async () => {
    await open({ lane: { capMs: 200, answerGraceMs: 300 }, retry: { maxRetries: 0 }, connectTimeoutMs: 2_000 })
    const long = pool.execute(0, read("select pg_sleep(3), 'long' as long"))
    const lease = await pool.lease(0)
    await lease.execute(write('begin'))
    await lease.execute(insert(1))
    expect((await long).rowCount).toBe(1)
    await cluster.shards[0]!.pause()
    try {
      const started = performance.now()
      const failures = [
        pool.execute(0, read('select pg_sleep(0)')),
        pool.execute(0, read('select pg_sleep(0)')),
        lease.execute(insert(2)),
      ]
      expect((await Promise.all(failures.map(failureOf))).map(({ code }) => code)).toEqual(
        failures.map(() => 'SHARD_UNREACHABLE'),
      )
      expect(performance.now() - started).toBeLessThan(8_000)
    } finally {
      await cluster.shards[0]!.resume()
    }
    lease.destroy(new Error('its server froze'))
    await expect
      .poll(
        () =>
          pool.execute(0, read('select k from ledger where k > $1', 0)).then(
            ({ rows }) => rows,
            () => undefined,
          ),
        { timeout: 20_000 },
      )
      .toEqual([])
  })

  test('a deadline holds on a session of a frozen server, whatever the session did before', async () => {
    await open()
    const leases = await Promise.all([0, 1].map(() => pool.lease(0)))
    await leases[0]!.execute(point)
    await leases[1]!.execute(point, { deadline: performance.now() + 60_000 })
    await cluster.shards[0]!.pause()
    try {
      const started = performance.now()
      const failures = await Promise.all(
        leases.map((lease) => failureOf(lease.execute(point, { deadline: performance.now() + 300 }))),
      )
      expect(failures.map((failure) => failure.code)).toEqual(['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED'])
      // Well before a connection attempt to this server would end.
      expect(performance.now() - started).toBeLessThan(5_000)
    } finally {
      await cluster.shards[0]!.resume()
    }
    for (const lease of leases) lease.destroy(new Error('its server froze'))
    expect((await pool.execute(0, point)).rowCount).toBe(1)
  })

  test('deadlocks and serialization failures of autocommit statements run again', async () => {
    await open()
    await pool.execute(0, write('create sequence if not exists tries'))
    await pool.execute(
      0,
      write(`create or replace function flaky(k int) returns int language plpgsql as $$ begin
        if nextval('tries') % 3 <> 0 then raise exception 'again' using errcode = '40001'; end if; return k; end $$`),
    )
    expect((await pool.execute(0, write('insert into ledger (k) select flaky($1)', 7))).rowCount).toBe(1)
    expect((await pool.execute(0, read('select count(*)::int n from ledger where k = $1', 7))).rows).toEqual([{ n: 1 }])
    const failure = await failureOf(pool.execute(0, insert(7)))
    expect(failure).toMatchObject({ code: '23505', shard: 'shard-1', constraint: 'ledger_pkey' })
  })

  test('more waiting statements than the bulkhead admits are refused', async () => {
    await open({ bulkhead: 3, size: { minimum: 0, maximum: 1, overflow: 0 } })
    const lease = await pool.lease(0)
    const sleeps = Array.from({ length: 6 }, () =>
      pool.execute(0, read('select pg_sleep(0), 1 as one')).then(
        () => 'done',
        (error: { code: string }) => error.code,
      ),
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    lease.release()
    expect((await Promise.all(sleeps)).toSorted()).toEqual([
      'SHARD_OVERLOADED',
      'SHARD_OVERLOADED',
      'SHARD_OVERLOADED',
      'done',
      'done',
      'done',
    ])
  })

  test('a database that is another shard is refused at connect', async () => {
    await open()
    const topology = topologyOf(cluster)
    await installIdentity(cluster.fleet('pool-test'), topology)
    await installIdentity(cluster.fleet('pool-test'), topology)
    await pool.close()
    const [first, second] = topology.shards
    const swapped = {
      ...topology,
      shards: [
        { ...first!, primary: second!.primary },
        { ...second!, primary: first!.primary },
      ],
    }
    pool = createShardPool(swapped)
    expect(await failureOf(pool.execute(0, point))).toMatchObject({
      code: 'WRONG_SHARD',
      details: { actual: { shard: 'shard-2' } },
    })
    expect(await failureOf(pool.lease(1))).toMatchObject({ code: 'WRONG_SHARD' })
    await pool.close()
    pool = createShardPool({ ...topology, id: 'another' })
    expect(await failureOf(pool.execute(0, insert(9)))).toMatchObject({ code: 'WRONG_SHARD' })
    await pool.close()
    pool = createShardPool(topology, { identity: 'require' })
    expect((await pool.execute(0, point)).rowCount).toBe(1)
    await pool.execute(0, write('drop schema shardwright cascade'))
    await pool.close()
    pool = createShardPool(topology, { identity: 'require' })
    expect(await failureOf(pool.execute(0, point))).toMatchObject({ code: 'IDENTITY_MISSING' })
  })

  test('a role without privileges is enough, and a refused session is closed', async () => {
    await open()
    const topology = topologyOf(cluster)
    await pool.execute(0, write("create role plain login password 'plain'"))
    await pool.execute(0, write('grant select, insert on ledger to plain'))
    await installIdentity(cluster.fleet('pool-test'), topology)
    await pool.close()
    const as = (id: string) => {
      const [first] = topology.shards
      const url = first!.primary.url.replace(/\/\/[^@]*@/, '//plain:plain@')
      return { ...topology, id, shards: [{ ...first!, primary: { ...first!.primary, url, directUrl: url } }] }
    }
    pool = createShardPool(as(topology.id), { identity: 'require' })
    expect((await pool.execute(0, insert(5))).rowCount).toBe(1)
    expect((await pool.commitToken(0)).incarnation).toMatch(/^\d+:[0-9a-f]{8}$/)
    await pool.close()
    pool = createShardPool(as('another'))
    for (let run = 0; run < 3; run++) expect(await failureOf(pool.lease(0))).toMatchObject({ code: 'WRONG_SHARD' })
    const admin = createShardPool(topology, { applicationName: 'observer' })
    const left = read("select count(*)::int n from pg_stat_activity where usename = 'plain'")
    await expect.poll(async () => (await admin.execute(0, left)).rows, { timeout: 20_000 }).toEqual([{ n: 0 }])
    for (const shard of [0, 1]) await admin.execute(shard, write('drop schema shardwright cascade'))
    await admin.execute(0, write('drop owned by plain'))
    await admin.execute(0, write('drop role plain'))
    await admin.close()
  })

  test('a schema of ours that the role may not use keeps it from nothing but an identity that is there', async () => {
    await open()
    const topology = topologyOf(cluster)
    await pool.execute(0, write("create role stranger login password 'stranger'"))
    await pool.execute(0, write('grant select, insert on ledger to stranger'))
    await pool.execute(0, write('create schema shardwright')) // as installTransactions leaves it
    const [first] = topology.shards
    const url = first!.primary.url.replace(/\/\/[^@]*@/, '//stranger:stranger@')
    const as = { ...topology, shards: [{ ...first!, primary: { ...first!.primary, url, directUrl: url } }] }
    const theirs = createShardPool(as)
    expect((await theirs.execute(0, insert(6))).rowCount).toBe(1)
    await theirs.close()
    await installIdentity(cluster.fleet('pool-test'), topology)
    await pool.execute(0, write('revoke usage on schema shardwright from public'))
    const refused = createShardPool(as)
    expect(await failureOf(refused.execute(0, point))).toMatchObject({
      code: 'IDENTITY_UNREADABLE',
      hint: expect.stringContaining('USAGE'),
    })
    await refused.close()
    for (const shard of [0, 1]) await pool.execute(shard, write('drop schema shardwright cascade'))
    await pool.execute(0, write('drop owned by stranger'))
    await pool.execute(0, write('drop role stranger'))
  })

  test('limits in the URL hold for exclusive statements and do not undo those of the lane', async () => {
    await open()
    const topology = topologyOf(cluster)
    const [first] = topology.shards
    const url = `${first!.primary.url}?statement_timeout=700&application_name=mine&options=-c%20work_mem%3D7MB`
    await pool.close()
    pool = createShardPool(
      { ...topology, shards: [{ ...first!, primary: { ...first!.primary, url, directUrl: url } }] },
      { lane: { capMs: 333 } },
    )
    const own = await pool.execute(
      0,
      read("select current_setting('statement_timeout') s, current_setting('work_mem') w, pg_sleep(0)::text p"),
    )
    expect(own.rows[0]).toMatchObject({ s: '700ms', w: '7MB' })
    const lane = read('select setting from pg_settings where name = $1', 'statement_timeout')
    expect((await pool.execute(0, lane)).rows).toEqual([{ setting: '333' }])
    expect((await failureOf(pool.execute(0, read('select pg_sleep(5)')))).code).toBe('57014')
  })

  test('a topology without a shard drains it under load', async () => {
    await open()
    const topology = topologyOf(cluster)
    const running = pool.execute(1, read('select pg_sleep(0.3), 1 as one'))
    const { pool: smaller, drained } = pool.replaceTopology({
      ...topology,
      epoch: 2,
      shards: [topology.shards[0]!],
      bucketMap: topology.bucketMap.map(() => 0),
    })
    expect(smaller.topology.epoch).toBe(2)
    expect((await smaller.commitToken(0)).epoch).toBe(2)
    expect((await running).rowCount).toBe(1)
    await drained
    expect((await smaller.execute(0, point)).rowCount).toBe(1)
    expect((await pool.execute(0, point)).rowCount).toBe(1)
    expect(await failureOf(pool.execute(1, point))).toMatchObject({ code: 'POOL_CLOSED' })
  })

  test('warns with the sum when the servers do not admit what may be opened', async () => {
    const lines: string[] = []
    const telemetry = {
      count() {},
      record() {},
      gauge() {},
      span: () => ({ end() {} }),
      log: (_: string, line: string) => void lines.push(line),
    }
    await open({ preset: 'production', processes: 20, telemetry, size: { minimum: 1 } })
    await pool.warm()
    expect(
      lines.filter((line) => /allows \d+ connections, but 20 process\(es\) x \(74\) = 1480 may be opened/.test(line)),
    ).toHaveLength(2)
  })
})

describe('failover', () => {
  test('of several hosts in a URL the primary is found, by every lane', async () => {
    await using cluster = await startLocalCluster({ shards: 1, replicasPerShard: 1 })
    const shard = cluster.shards[0]!
    const primary = new URL(shard.url)
    const standby = new URL(shard.replicas[0]!.url)
    const url = shard.url.replace(primary.host, `${standby.host},${primary.host}`)
    const topology = defineTopology({ id: 'pool-test', hash: 'postgres', shards: [{ id: 'shard-1', primary: url }] })
    for (const first of ['execute', 'lease', 'direct'] as const) {
      const pool = createShardPool(topology)
      if (first === 'lease') (await pool.lease(0)).release()
      if (first === 'direct') await (await pool.direct(0)).end()
      expect((await pool.execute(0, read('select pg_is_in_recovery() r'))).rows).toEqual([{ r: false }])
      expect((await pool.execute(0, write('create table if not exists t (k int)'))).command).toBe('CREATE')
      await pool.close()
    }
  })

  test('a promoted replica is found, and a resurrected primary is not', async () => {
    await using cluster = await startLocalCluster({ shards: 1, replicasPerShard: 1 })
    const topology = topologyOf(cluster)
    const pool = createShardPool(topology, {
      retry: { maxRetries: 8 },
      replicas: { reads: 'replica', probeIntervalMs: 200 },
    })
    await pool.execute(0, write('create table ledger (k int primary key)'))
    for (let k = 0; k < 5; k++) await pool.execute(0, insert(k))
    const token = await pool.commitToken(0)
    const shard = cluster.shards[0]!
    const replica = shard.replicas[0]!
    await replica.caughtUp()
    await shard.kill()
    await replica.promote()
    expect((await pool.execute(0, point, { reads: 'primary' })).rows).toEqual([{ k: 0 }])
    expect((await pool.execute(0, insert(100))).rowCount).toBe(1)
    const after = await pool.commitToken(0)
    expect(after.incarnation).not.toBe(token.incarnation)
    // The old primary comes back as a primary of the old timeline: nobody may write there.
    await shard.start()
    for (let k = 101; k < 110; k++) await pool.execute(0, insert(k))
    const { rows } = await pool.execute(0, read('select count(*)::int n from ledger where k >= $1', 100))
    expect(rows).toEqual([{ n: 10 }])
    await pool.close()
  })

  test('of two primaries only the one that was promoted later is written to', async () => {
    await using cluster = await startLocalCluster({ shards: 1, replicasPerShard: 1 })
    const [{ replicas }] = cluster.shards as [(typeof cluster.shards)[0]]
    const topology = topologyOf(cluster)
    const lines: string[] = []
    const telemetry = {
      count() {},
      record() {},
      gauge() {},
      span: () => ({ end() {} }),
      log: (_: string, line: string) => void lines.push(line),
    }
    const watching = createShardPool(topology, { telemetry, replicas: { reads: 'replica', probeIntervalMs: 100 } })
    await watching.execute(0, write('create table ledger (k int primary key)'))
    await watching.execute(0, read('select 1 as one'))
    const open = await watching.lease(0)
    await open.execute(write('begin'))
    await open.execute(insert(1))
    await replicas[0]!.caughtUp()
    // The old primary lives on, as one that a network kept from its cluster manager.
    await replicas[0]!.promote()
    const timeline = read('select substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) as t')
    const later = [{ t: '00000002' }]
    await expect
      .poll(async () => (await watching.execute(0, timeline, { reads: 'primary' })).rows, { timeout: 10_000 })
      .toEqual(later)
    // What was open on the old one may not commit there.
    await failureOf(open.execute(write('commit')))
    open.destroy(new Error('its server is no primary'))
    await watching.close()
    const beginning = async (work: (pool: ShardPool) => Promise<readonly unknown[]>) => {
      const pool = createShardPool(topology)
      expect(await work(pool)).toEqual(later)
      await pool.close()
    }
    await beginning(async (pool) => (await pool.execute(0, timeline)).rows)
    await beginning(async (pool) => {
      const lease = await pool.lease(0)
      const { rows } = await lease.execute(timeline)
      lease.release()
      return rows
    })
    await beginning(async (pool) => {
      const client = await pool.direct(0)
      const { rows } = await client.query(timeline.sql)
      await client.end()
      return rows
    })
  })

  test('a replica that stayed with the old primary answers nothing, however far it is in that log', async () => {
    await using cluster = await startLocalCluster({ shards: 1, replicasPerShard: 2 })
    const shard = cluster.shards[0]!
    const [promoted, ahead] = shard.replicas
    const pool = createShardPool(topologyOf(cluster), {
      retry: { maxRetries: 8 },
      replicas: { reads: 'replica', probeIntervalMs: 100 },
    })
    await pool.execute(0, write('create table ledger (k int primary key)'))
    await promoted!.caughtUp()
    const observer = new pg.Client(promoted!.url)
    await observer.connect()
    await observer.query(`alter system set primary_conninfo = ''`)
    await observer.query('select pg_reload_conf()')
    await expect
      .poll(async () => (await observer.query('select from pg_stat_wal_receiver')).rowCount, { timeout: 10_000 })
      .toBe(0)
    await observer.end()
    // Far more than the new primary will have written below.
    await pool.execute(0, write(`create table filler as select repeat('x', 500) from generate_series(1, 5000)`))
    await ahead!.caughtUp()
    await pool.execute(0, point)
    await shard.kill()
    await promoted!.promote()
    await runInReadContext(new ReadContext(), async () => {
      expect((await pool.execute(0, insert(7))).rowCount).toBe(1)
      for (let run = 0; run < 10; run++) {
        expect((await pool.execute(0, read('select k from ledger where k = $1', 7))).rows).toEqual([{ k: 7 }])
      }
    })
    await expect
      .poll(async () => (await pool.execute(0, read('select k from ledger where k = $1', 7))).rows, { timeout: 10_000 })
      .toEqual([{ k: 7 }])
    for (let run = 0; run < 10; run++) {
      expect((await pool.execute(0, read('select k from ledger where k = $1', 7))).rowCount).toBe(1)
    }
    await pool.close()
  })

  test('a primary that a promotion left behind is never written to, whatever else is down', async () => {
    await using cluster = await startLocalCluster({ shards: 1, replicasPerShard: 1 })
    const shard = cluster.shards[0]!
    const replica = shard.replicas[0]!
    const pool = createShardPool(topologyOf(cluster), { retry: { maxRetries: 4 } })
    await pool.execute(0, write('create table ledger (k int primary key)'))
    await replica.caughtUp()
    await shard.kill()
    await replica.promote()
    expect((await pool.execute(0, insert(1))).rowCount).toBe(1)
    // Now the old primary is the only one that answers, without what was acknowledged above.
    await shard.start()
    await replica.stop()
    for (let k = 2; k < 5; k++) {
      expect(['SHARD_UNREACHABLE', 'CIRCUIT_OPEN', 'NO_PRIMARY']).toContain(
        (await failureOf(pool.execute(0, insert(k)))).code,
      )
    }
    await replica.start()
    await expect
      .poll(
        () =>
          pool.execute(0, insert(9)).then(
            (result) => result.rowCount,
            () => 0,
          ),
        { timeout: 20_000 },
      )
      .toBe(1)
    const { rows } = await pool.execute(0, read('select k from ledger order by k'))
    expect(rows).toEqual([{ k: 1 }, { k: 9 }])
    await pool.close()
  })
})
