import { connect, createServer, type Socket } from 'node:net'
import { defineSchema, type ShardKey, sharded } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { createShardRouter, runWithDeadline, type ShardPoolOptions } from '@shardwright/shard-router'
import { sql, type Transaction } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

interface Database {
  counters: { k: ShardKey<number>; n: number }
  entries: { k: ShardKey<number>; id: number }
}
type Trx = Transaction<Database>

const schema = defineSchema<Database>()({ tables: { counters: sharded('k'), entries: sharded('k') } })
const ddl = `create table counters (k int primary key, n int not null default 0);
  create table entries (k int not null, id int not null)`
const patient: ShardPoolOptions = { retry: { maxRetries: 30, initialDelayMs: 10, maxDelayMs: 300 } }

describe('transactions that may run again', () => {
  let cluster: LocalCluster
  const open = (pool: ShardPoolOptions = patient, url?: string) => {
    const input = cluster.topologyInput()
    const shards = url === undefined ? input.shards : [{ id: 'shard-1', primary: url }]
    return createShardRouter({ schema, topology: { hash: 'postgres', shards }, pool, atomic: { deadlockAfterMs: 100 } })
  }
  let router: ReturnType<typeof open>
  /** A key of each shard. */
  let keys: number[]

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2 })
    for (const shard of cluster.fleet().shards) {
      await using connection = await shard.connect()
      await connection.script(ddl)
    }
  })
  afterAll(() => cluster?.stop())
  beforeEach(async () => {
    router = open()
    await router.ready()
    const shardOf = (k: number) =>
      router.shardsOf(router.db.selectFrom('counters').selectAll().where('k', '=', k).compile())[0]
    keys = ['shard-1', 'shard-2'].map((id) => [1, 2, 3, 4, 5, 6, 7, 8, 9].find((k) => shardOf(k) === id)!)
    for (const table of ['counters', 'entries'] as const) await router.fanOut().deleteFrom(table).execute()
    await router.db
      .insertInto('counters')
      .values(keys.map((k) => ({ k, n: 0 })))
      .execute()
  })
  afterEach(() => router.close())

  const increment = (trx: Trx, k: number) =>
    trx
      .updateTable('counters')
      .set((eb) => ({ n: eb('n', '+', 1) }))
      .where('k', '=', k)
      .execute()
  const enter = (trx: Trx, id: number, k = keys[0]!) => trx.insertInto('entries').values({ k, id }).execute()
  const numbers = async () => (await router.fanOut().selectFrom('counters').select('n').execute()).map(({ n }) => n)
  const entries = async () => (await router.fanOut().selectFrom('entries').select('id').execute()).map(({ id }) => id)
  const backendOf = async (trx: Trx) => {
    const own = trx.selectFrom('counters').select(sql<number>`pg_backend_pid()`.as('pid')).where('k', '=', keys[0]!)
    return (await own.executeTakeFirstOrThrow()).pid
  }
  const terminate = async (pid: number) => {
    await sql`select pg_terminate_backend(${pid})`.execute(router.onShard('shard-1'))
  }
  const failureOf = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: unknown) => error as { code?: string; message: string },
    )

  test('serialization failures', async () => {
    let runs = 0
    const { promise: allHaveRead, resolve } = Promise.withResolvers<void>()
    const one = () =>
      router.transaction({ idempotent: true, isolationLevel: 'serializable' }).execute(async (trx) => {
        const run = ++runs
        const { n } = await trx.selectFrom('counters').select('n').where('k', '=', keys[0]!).executeTakeFirstOrThrow()
        if (run === 8) resolve()
        await allHaveRead
        await trx
          .updateTable('counters')
          .set({ n: n + 1 })
          .where('k', '=', keys[0]!)
          .execute()
        return n
      })
    const seen = await Promise.all(Array.from({ length: 8 }, one))
    expect(seen.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(runs).toBeGreaterThan(8)
    expect((await numbers()).toSorted()).toEqual([0, 8])
  })

  test.each([false, true])('deadlocks, across shards: %s', async (across) => {
    const [a, b] = across ? (keys as [number, number]) : [keys[0]!, keys[0]! + 1_000]
    if (!across) await router.onShard('shard-1').insertInto('counters').values({ k: b, n: 0 }).execute()
    let arrived = 0
    let runs = 0
    const { promise: both, resolve } = Promise.withResolvers<void>()
    const lock = async (trx: Trx, k: number) => {
      const set = { n: sql<number>`n + 1` }
      if (across) return await trx.updateTable('counters').set(set).where('k', '=', k).execute()
      return await sql`update counters set n = n + 1 where k = ${keys[0]} + ${k - keys[0]!}::int`.execute(trx)
    }
    const options = across ? ({ idempotent: true, crossShard: 'atomic' } as const) : undefined
    const start = () =>
      options ? router.transaction(options) : router.idempotent(router.onShard('shard-1').transaction())
    const work = (first: number, second: number) =>
      start().execute(async (trx) => {
        runs++
        await lock(trx, first)
        if (++arrived === 2) resolve()
        await both
        await lock(trx, second)
      })
    await Promise.all([work(a, b), work(b, a)])
    expect(runs).toBeGreaterThan(2)
    expect((await numbers()).filter((n) => n === 2)).toHaveLength(2)
  })

  test('a session that is terminated, a server that is killed, a wrapped error', async () => {
    let runs = 0
    const result = await router.transaction({ idempotent: true }).execute(async (trx) => {
      runs++
      await enter(trx, 1)
      if (runs === 1) await terminate(await backendOf(trx))
      if (runs === 2) {
        await cluster.shards[0]!.kill()
        await cluster.shards[0]!.start()
      }
      try {
        await increment(trx, keys[0]!)
      } catch (cause) {
        throw new Error('the repository failed', { cause })
      }
      return runs
    })
    expect(result).toBe(3)
    expect(await entries()).toEqual([1])
    expect((await numbers()).toSorted()).toEqual([0, 1])
  })

  test('a session that is gone before COMMIT was sent', async () => {
    let runs = 0
    await router.idempotent(router.for({ k: keys[0]! }).transaction()).execute(async (trx) => {
      runs++
      await trx.insertInto('entries').values({ k: keys[0]!, id: runs }).execute()
      if (runs > 1) return
      await terminate(await backendOf(trx as unknown as Trx))
      await new Promise((done) => setTimeout(done, 100))
    })
    expect(runs).toBe(2)
    expect(await entries()).toEqual([2])
  })

  test('once, when the answer to COMMIT is lost', async () => {
    await using proxy = await cutAtCommit(cluster.shards[0]!.url)
    const cut = open(patient, proxy.url)
    await cut.ready()
    let runs = 0
    for (const id of [1, 2]) {
      runs = 0
      proxy.armed = true
      const failure = await failureOf(
        cut.transaction({ idempotent: true }).execute(async (trx) => {
          runs++
          await enter(trx, id)
        }),
      )
      expect(failure).toMatchObject({ code: 'SHARD_UNREACHABLE', details: { sent: true } })
      expect(runs).toBe(1)
    }
    await expect.poll(entries).toEqual([1, 2])
    await cut.close()
  })

  test('once, when the function or the data is what fails, and without the option', async () => {
    let runs = 0
    const attempt = (idempotent: boolean, work: (trx: Trx) => Promise<unknown>) => {
      runs = 0
      const run = async (trx: Trx) => {
        runs++
        await work(trx)
      }
      return failureOf(
        idempotent
          ? router.transaction({ idempotent: true }).execute(run)
          : router.transaction({ idempotent: false }).execute(run),
      )
    }
    const own = new Error('no credit')
    expect(await attempt(true, () => Promise.reject(own))).toBe(own)
    expect(runs).toBe(1)
    const doubled = (trx: Trx) => trx.insertInto('counters').values({ k: keys[0]!, n: 1 }).execute()
    expect(await attempt(true, doubled)).toMatchObject({ code: '23505' })
    expect(runs).toBe(1)
    const ended = async (trx: Trx) => {
      await terminate(await backendOf(trx))
      await increment(trx, keys[0]!)
    }
    expect(await attempt(false, ended)).toBeDefined()
    expect(runs).toBe(1)
    expect((await numbers()).toSorted()).toEqual([0, 0])
  })

  test('until the deadline of the context, or the tries are over', async () => {
    const failing = () => Promise.reject(Object.assign(new Error('again'), { code: '40001', severity: 'ERROR' }))
    const start = performance.now()
    expect(
      await failureOf(runWithDeadline(300, () => router.transaction({ idempotent: true }).execute(failing))),
    ).toMatchObject({ code: '40001' })
    expect(performance.now() - start).toBeLessThan(3_000)
    const twice = open({ retry: { maxRetries: 2, initialDelayMs: 1 } })
    let runs = 0
    await failureOf(
      twice.transaction({ idempotent: true }).execute(() => {
        runs++
        return failing()
      }),
    )
    expect(runs).toBe(3)
    await twice.close()
  })
})

/** Passes everything on to the server; once armed, the COMMIT too, but not its answer. */
async function cutAtCommit(target: string): Promise<AsyncDisposable & { url: string; armed: boolean }> {
  const server = new URL(target)
  const sockets = new Set<Socket>()
  const listener = createServer((client) => {
    const upstream = connect(Number(server.port), server.hostname)
    let cut = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        // What was passed on is still done.
        upstream.end()
      })
    }
    client.on('data', (chunk) => {
      if (proxy.armed && /commit/i.test(chunk.toString('latin1'))) {
        proxy.armed = false
        cut = true
      }
      upstream.write(chunk, () => {
        if (cut) setTimeout(() => client.destroy(), 50)
      })
    })
    upstream.on('data', (chunk) => {
      if (!cut) client.write(chunk)
    })
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  const proxy = {
    url: target.replace(`:${server.port}/`, `:${port}/`),
    armed: false,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
  return proxy
}
