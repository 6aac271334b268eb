import { type CommitToken, currentReadContext, ReadContext, runInReadContext } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { ShardPoolOptions } from '../../src/pool/pool-options.ts'
import { decodeReadContext, encodeReadContext } from '../../src/pool/read-token.ts'
import type { ShardPool } from '../../src/pool/shard-pool.ts'
import { failureOf, read, topologyOf, write } from './pool-fixture.ts'

describe('replicas', () => {
  let cluster: LocalCluster
  let pool: ShardPool
  const point = read('select v from notes where k = $1', 1)

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 1, replicasPerShard: 2 })
    pool = createShardPool(topologyOf(cluster))
    await pool.execute(0, write('create table notes (k int primary key, v int)'))
    await pool.execute(0, write('insert into notes (k, v) values ($1, $2)', 1, 0))
    await pool.close()
    await Promise.all(cluster.shards[0]!.replicas.map((replica) => replica.caughtUp()))
  })
  afterAll(() => cluster.stop())
  afterEach(async () => {
    await onReplicas('select pg_wal_replay_resume()')
    await pool.close()
  })

  const open = (replicas: ShardPoolOptions['replicas'], options: ShardPoolOptions = {}) => {
    pool = createShardPool(topologyOf(cluster), { ...options, replicas: { probeIntervalMs: 100, ...replicas } })
  }
  const onReplicas = async (sql: string, replicas = cluster.shards[0]!.replicas) => {
    for (const replica of replicas) {
      const observer = createShardPool({
        ...topologyOf(cluster),
        shards: [
          {
            ...topologyOf(cluster).shards[0]!,
            replicas: [topologyOf(cluster).shards[0]!.replicas.find((server) => server.url === replica.url)!],
          },
        ],
      })
      await observer.execute(0, read(sql), { reads: 'replica' }).catch((error: { code?: string }) => {
        if (error.code !== '55000') throw error
      })
      await observer.close()
    }
  }
  const bump = async (): Promise<CommitToken> => {
    await pool.execute(0, write('update notes set v = v + 1 where k = $1', 1))
    return await pool.commitToken(0)
  }
  const current = async () => ((await pool.execute(0, point, { reads: 'primary' })).rows[0] as { v: number }).v

  test('reads go round, writes and reads that ask for it go to the primary', async () => {
    open({ reads: 'replica', balance: 'round-robin' })
    const servers = new Set<string>()
    for (let run = 0; run < 10; run++) servers.add((await pool.execute(0, point)).server)
    expect(servers.size).toBe(2)
    expect(servers).not.toContain('primary')
    expect((await pool.execute(0, point, { reads: 'primary' })).server).toBe('primary')
    expect((await pool.execute(0, write('update notes set v = v where k = $1', 1))).server).toBe('primary')
    const lease = await pool.lease(0, { access: 'read' })
    expect((await lease.execute(read('select pg_is_in_recovery() r'))).rows).toEqual([{ r: true }])
    lease.release()
  })

  test('a replica that hangs from the start holds up neither a deadline nor an abort', async () => {
    const [first] = cluster.shards[0]!.replicas
    await first!.pause()
    try {
      // A monotonic moment, as runWithDeadline gives it.
      open({ reads: 'replica', probeTimeoutMs: 60_000 })
      const deadline = () => performance.now() + 200
      expect(await failureOf(pool.execute(0, point, { deadline: deadline() }))).toMatchObject({
        code: 'DEADLINE_EXCEEDED',
      })
      expect(await failureOf(pool.lease(0, { access: 'read', deadline: deadline() }))).toMatchObject({
        code: 'DEADLINE_EXCEEDED',
      })
      const reason = new Error('no longer wanted')
      expect(await failureOf(pool.execute(0, point, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    } finally {
      await first!.resume()
    }
    expect((await pool.execute(0, point)).rowCount).toBe(1)
  })

  test('weighted turns follow the weights', async () => {
    const [first, second] = topologyOf(cluster).shards[0]!.replicas.map((server) => server.address)
    open({ reads: 'replica', balance: 'weighted', weights: { [first!]: 3, [second!]: 1 } })
    const counts: Record<string, number> = {}
    for (let run = 0; run < 40; run++) {
      const { server } = await pool.execute(0, point)
      counts[server] = (counts[server] ?? 0) + 1
    }
    expect(counts).toEqual({ [first!]: 30, [second!]: 10 })
  })

  test('a read under a token never sees less than its write, with replay paused', async () => {
    open({ reads: 'replica', tokenWaitMs: 50 })
    await pool.execute(0, point)
    await onReplicas('select pg_wal_replay_pause()')
    const context = new ReadContext([await bump()])
    const value = await current()
    const under = await runInReadContext(context, () => pool.execute(0, point))
    expect(under).toMatchObject({ server: 'primary', rows: [{ v: value }] })
    const travelled = decodeReadContext(encodeReadContext(context))
    expect(travelled.tokens).toEqual(context.tokens)
    expect((await runInReadContext(travelled, () => pool.execute(0, point))).server).toBe('primary')
    const without = await pool.execute(0, point)
    expect(without).toMatchObject({ rows: [{ v: value - 1 }] })
    await onReplicas('select pg_wal_replay_resume()')
    await expect
      .poll(async () => (await runInReadContext(context, () => pool.execute(0, point))).server, { timeout: 20_000 })
      .not.toBe('primary')
    expect((await runInReadContext(context, () => pool.execute(0, point))).rows).toEqual([{ v: value }])
  })

  test('a read under a token that is lost with its replica is not given to one that is behind', async () => {
    open({ reads: 'replica', maxFails: 1_000, probeTimeoutMs: 5_000 })
    const [ahead, behind] = cluster.shards[0]!.replicas
    for (let run = 0; run < 8; run++) await pool.execute(0, point)
    await onReplicas('select pg_wal_replay_pause()', [behind!])
    const context = new ReadContext()
    await runInReadContext(context, bump)
    const v = await current()
    const server = async () => (await runInReadContext(context, () => pool.execute(0, point))).server
    await expect.poll(server, { timeout: 10_000 }).toMatch(`:${ahead!.server.port}/`)
    await ahead!.pause()
    const reading = Array.from({ length: 10 }, () => runInReadContext(context, () => pool.execute(0, point)))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await ahead!.kill()
    try {
      for (const { rows } of await Promise.all(reading)) expect(rows).toEqual([{ v }])
    } finally {
      await ahead!.start()
    }
  })

  test('an autocommit write leaves its token in the context of its caller', async () => {
    open({ reads: 'replica', tokenWaitMs: 0 })
    await pool.execute(0, point)
    await onReplicas('select pg_wal_replay_pause()')
    await runInReadContext(new ReadContext(), async () => {
      expect((await pool.execute(0, point)).server).not.toBe('primary')
      await pool.execute(0, write('update notes set v = v + 1 where k = $1', 1))
      expect((await pool.execute(0, point)).server).toBe('primary')
    })
    expect((await pool.execute(0, point)).server).not.toBe('primary')
  })

  test('who does not know whether a write is done is not told by a replica', async () => {
    open({ reads: 'replica', tokenWaitMs: 0 })
    await pool.execute(0, point)
    await runInReadContext(new ReadContext(), async () => {
      expect((await pool.execute(0, point)).server).not.toBe('primary')
      const lost = failureOf(
        pool.execute(0, write('update notes set v = v where k = $1 and pg_sleep(20) is not null', 1)),
      )
      const kill = write(`select pg_terminate_backend(pid) from pg_stat_activity
        where query like 'update notes%pg_sleep%' and state = 'active'`)
      await expect
        .poll(() => runInReadContext(new ReadContext(), async () => (await pool.execute(0, kill)).rowCount), {
          timeout: 10_000,
        })
        .toBe(1)
      expect((await lost).code).toBe('57P01')
      expect(currentReadContext()?.tokens.map(({ incarnation }) => incarnation)).toEqual(['0:00000000'])
      expect((await pool.execute(0, point)).server).toBe('primary')
      // Refused by the server: nothing was done.
      await bump()
      const known = currentReadContext()?.tokens
      await failureOf(pool.execute(0, write('insert into notes (k, v) values ($1, $2)', 1, 0)))
      expect(currentReadContext()?.tokens).toEqual(known)
    })
  })

  test('a token of another timeline, system or epoch is not believed', async () => {
    open({ reads: 'replica' })
    const token = await bump()
    await Promise.all(cluster.shards[0]!.replicas.map((replica) => replica.caughtUp()))
    await expect
      .poll(async () => (await runInReadContext(new ReadContext([token]), () => pool.execute(0, point))).server, {
        timeout: 20_000,
      })
      .not.toBe('primary')
    const [system, timeline] = token.incarnation.split(':')
    for (const foreign of [
      { ...token, incarnation: `${system}:${'0'.repeat(7)}9` },
      { ...token, incarnation: `${BigInt(system!) + 1n}:${timeline}` },
      { ...token, epoch: token.epoch + 1 },
    ]) {
      const { server } = await runInReadContext(new ReadContext([foreign]), () => pool.execute(0, point))
      expect(server).toBe('primary')
    }
  })

  test.each([
    ['on the pipelined lane', point.sql],
    ['on sessions', `${point.sql} and pg_sleep(0) is not null`],
    ['on replicas and the primary in turn', point.sql],
  ])('reads under a token never go backwards, %s', async (how, sql) => {
    open({ reads: 'replica', balance: 'round-robin' })
    await pool.execute(0, point)
    const [first, second] = cluster.shards[0]!.replicas
    const context = new ReadContext([await bump()])
    const upToDate = async () => {
      await Promise.all([first!.caughtUp(), second!.caughtUp()])
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    await upToDate()
    await onReplicas('select pg_wal_replay_pause()', [first!])
    // Somebody else: this context has no token of it.
    await bump()
    await second!.caughtUp()
    const seen: number[] = []
    for (let run = 0; run < 6; run++) {
      const reads = how.includes('primary') && run === 1 ? 'primary' : 'replica'
      const { rows } = await runInReadContext(context, () => pool.execute(0, read(sql, 1), { reads }))
      seen.push((rows[0] as { v: number }).v)
    }
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(seen.at(-1)).toBe(await current())
    // Once both show the same, both are read.
    await onReplicas('select pg_wal_replay_resume()', [first!])
    await upToDate()
    const servers = new Set<string>()
    for (let run = 0; run < 6; run++) {
      servers.add((await runInReadContext(context, () => pool.execute(0, read(sql, 1)))).server)
    }
    expect(servers.size).toBe(2)
  })

  test('one query reads the token of many commits, and none reads too early', async () => {
    open({})
    const tokens = await Promise.all(Array.from({ length: 50 }, bump))
    expect(new Set(tokens.map((token) => token.lsn)).size).toBeLessThan(50)
    const last = await bump()
    for (const token of tokens)
      expect(BigInt(`0x${token.lsn.replace('/', '')}`)).toBeLessThanOrEqual(BigInt(`0x${last.lsn.replace('/', '')}`))
  })

  test('an idle primary is not lag; a paused replica is, and is set aside until it is back', async () => {
    open({ reads: { maxLagMs: 300 } })
    await pool.execute(0, point)
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect((await pool.execute(0, point)).server).not.toBe('primary')
    await onReplicas('select pg_wal_replay_pause()')
    await bump()
    await expect.poll(async () => (await pool.execute(0, point)).server, { timeout: 20_000 }).toBe('primary')
    const bytes = await pool.execute(0, point, { reads: { maxLagBytes: 1_000_000 } })
    expect(bytes.server).not.toBe('primary')
    await onReplicas('select pg_wal_replay_resume()')
    await expect.poll(async () => (await pool.execute(0, point)).server, { timeout: 20_000 }).not.toBe('primary')
  })

  test('a frozen replica and a dead one cost no read', async () => {
    open({ reads: 'replica', probeTimeoutMs: 500, whenNoReplica: 'refuse' })
    for (let run = 0; run < 6; run++) await pool.execute(0, point)
    const [first, second] = cluster.shards[0]!.replicas
    await first!.pause()
    const reads = await Promise.all(Array.from({ length: 20 }, () => pool.execute(0, point)))
    expect(reads.every((result) => result.rowCount === 1)).toBe(true)
    await second!.kill()
    await expect
      .poll(
        async () => (await failureOf(pool.execute(0, point).then(() => Promise.reject({ code: 'answered' })))).code,
        { timeout: 30_000 },
      )
      .toBe('NO_REPLICA')
    await first!.resume()
    await second!.start()
    const servers = new Set<string>()
    await expect
      .poll(
        async () =>
          await pool.execute(0, point).then(
            ({ server }) => servers.add(server).size,
            () => servers.size,
          ),
        { timeout: 30_000 },
      )
      .toBe(2)
  })

  test('frozen replicas hold no read under a token up', async () => {
    open({ reads: 'replica', probeIntervalMs: 60_000 })
    for (let run = 0; run < 6; run++) await pool.execute(0, point)
    const replicas = cluster.shards[0]!.replicas
    await Promise.all(replicas.map((replica) => replica.pause()))
    try {
      const started = performance.now()
      const result = await runInReadContext(new ReadContext([await bump()]), () => pool.execute(0, point))
      expect(result.server).toBe('primary')
      // Well before a connection attempt to these servers would end.
      expect(performance.now() - started).toBeLessThan(5_000)
    } finally {
      await Promise.all(replicas.map((replica) => replica.resume()))
    }
  })

  test('a replica whose sessions are all lent is still healthy', async () => {
    open(
      { reads: 'replica', probeTimeoutMs: 500, whenNoReplica: 'refuse' },
      { size: { minimum: 0, maximum: 1, overflow: 0 } },
    )
    const leases = await Promise.all([0, 1].map(() => pool.lease(0, { access: 'read' })))
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect((await pool.execute(0, point)).server).not.toBe('primary')
    for (const lease of leases) lease.release()
  })

  test('hedged reads are answered by whoever is first', async () => {
    open({ reads: 'replica', hedgeAfterMs: 100, probeIntervalMs: 60_000, balance: 'round-robin' })
    for (let run = 0; run < 4; run++) await pool.execute(0, point)
    const first = cluster.shards[0]!.replicas[0]!
    await first.pause()
    const reads = await Promise.all(Array.from({ length: 10 }, () => pool.execute(0, point)))
    expect(reads.every((result) => result.rowCount === 1)).toBe(true)
    await first.resume()
  })
})
