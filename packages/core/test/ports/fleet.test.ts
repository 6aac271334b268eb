import { createFleet, defineTopology, fleetOf } from '@shardwright/core'
import { freePort, startLocalCluster } from '@shardwright/local-cluster'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

describe('createFleet', () => {
  let cluster: Awaited<ReturnType<typeof startLocalCluster>>
  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  })
  afterAll(async () => {
    await cluster?.stop()
  })
  const fleet = () =>
    fleetOf(
      defineTopology({
        hash: 'postgres',
        id: 'festival',
        shards: cluster.shards.map(({ id, url }) => ({ id, primary: url })),
      }),
      pg.Client,
    )

  it('connects to each shard by its own dedicated connection', async () => {
    expect(fleet()).toMatchObject({ topologyId: 'festival', shards: [{ id: 'shard-1' }, { id: 'shard-2' }] })
    for (const [index, shard] of fleet().shards.entries()) {
      await using connection = await shard.connect({ applicationName: 'the test' })
      expect(connection.shardId).toBe(shard.id)
      const { rows } = await connection.query<{ db: string; n: number; app: string }>(
        "select current_database() as db, $1::int as n, current_setting('application_name') as app",
        [index],
      )
      expect(rows).toEqual([{ db: cluster.shards[index]!.database, n: index, app: 'the test' }])
    }
  })

  it('releases once, however often it is asked', async () => {
    const connection = await fleet().shards[0]!.connect()
    await connection.release()
    await connection.release()
    await expect(connection.query('select 1')).rejects.toThrow()
  })

  it('gives a Kysely with transactions that never mix, over the one connection', async () => {
    await using connection = await fleet().shards[0]!.connect()
    await connection.script('create temp table t (n int)')
    const db = connection.kysely<{ t: { n: number } }>()
    const add = (n: number, fail: boolean) =>
      db.transaction().execute(async (trx) => {
        await trx.insertInto('t').values({ n }).execute()
        await sql`select pg_sleep(0.01)`.execute(trx)
        if (fail) throw new Error('rolled back')
      })
    const results = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((n) => add(n, n % 2 === 0)))
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
    ])
    expect((await db.selectFrom('t').select('n').orderBy('n').execute()).map(({ n }) => n)).toEqual([1, 3, 5])
    const { numDeletedRows } = await db.deleteFrom('t').executeTakeFirstOrThrow()
    expect(numDeletedRows).toBe(3n)
    await db.destroy()
    expect((await connection.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('survives a connection that the server ends', async () => {
    const connection = await fleet().shards[0]!.connect()
    const { rows } = await connection.query<{ pid: number }>('select pg_backend_pid() as pid')
    await using other = await fleet().shards[0]!.connect()
    await other.query('select pg_terminate_backend($1)', [rows[0]!.pid])
    await expect(connection.query('select 1')).rejects.toThrow()
    await connection.release()
  })

  it('names a shard that does not answer, without its password', async () => {
    const port = await freePort()
    const url = `postgres://app:s3cret@127.0.0.1:${port}/festival`
    const shard = createFleet({ shards: [{ id: 'gone', url }], Client: pg.Client }).shards[0]!
    const error = await shard.connect().then(
      () => undefined,
      (reason: Error) => reason,
    )
    expect(error).toMatchObject({
      name: 'ConnectionError',
      code: 'SHARD_UNREACHABLE',
      details: { shard: 'gone', address: `127.0.0.1:${port}/festival` },
    })
    expect(JSON.stringify([error?.message, error])).not.toContain('s3cret')
  })

  it('names a shard that refuses the password, without repeating it', async () => {
    const url = new URL(cluster.shards[0]!.url)
    url.pathname = '/no_such_database'
    const shard = createFleet({ shards: [{ id: 'x', url: url.href }], Client: pg.Client }).shards[0]!
    await expect(shard.connect()).rejects.toMatchObject({ code: 'SHARD_UNREACHABLE', details: { reasonCode: '3D000' } })
  })

  it('stops connecting when told to', async () => {
    const reason = new Error('enough')
    await expect(fleet().shards[0]!.connect({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('lets go of a frozen server: an abort is heard at once, a release ends', async () => {
    const shard = fleet().shards[0]!
    const held = await shard.connect()
    await cluster.shards[0]!.pause()
    try {
      const abort = new AbortController()
      const reason = new Error('enough')
      const connecting = shard.connect({ signal: abort.signal })
      connecting.catch(() => {})
      setTimeout(() => abort.abort(reason), 50)
      await expect(connecting).rejects.toBe(reason)
      await held.release()
    } finally {
      await cluster.shards[0]!.resume()
    }
    await using again = await shard.connect()
    expect((await again.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('finds the primary among several hosts', async () => {
    const url = new URL(cluster.shards[0]!.url)
    const several = `postgres://${url.username}:${url.password}@127.0.0.1:${await freePort()},${url.host}${url.pathname}`
    const shard = createFleet({ shards: [{ id: 'a', url: several }], Client: pg.Client }).shards[0]!
    await using connection = await shard.connect()
    expect((await connection.query('select current_database() as db')).rows).toEqual([
      { db: cluster.shards[0]!.database },
    ])
  })

  it('of two primaries takes the one that was promoted later, and waits for no other long', async () => {
    await using pair = await startLocalCluster({ shards: 1, replicasPerShard: 1 })
    const { url, replicas } = pair.shards[0]!
    const replica = replicas[0]!
    const hosts = `${new URL(url).host},${new URL(replica.url).host}`
    const shards = [{ id: 'a', url: url.replace(new URL(url).host, hosts) }]
    const timeline = async () => {
      const [shard] = createFleet({ shards, Client: pg.Client }).shards
      await using connection = await shard!.connect()
      return (await connection.query('select timeline_id from pg_control_checkpoint()')).rows
    }
    expect(await timeline()).toEqual([{ timeline_id: 1 }])
    await replica.pause()
    const started = performance.now()
    expect(await timeline()).toEqual([{ timeline_id: 1 }])
    expect(performance.now() - started).toBeLessThan(4_000)
    await replica.resume()
    await replica.promote()
    await expect.poll(timeline, { timeout: 10_000 }).toEqual([{ timeline_id: 2 }])
  })

  it('gives up on a frozen server after connectTimeoutMs', async () => {
    const shards = [{ id: 'frozen', url: cluster.shards[0]!.url }]
    await cluster.shards[0]!.pause()
    try {
      const connecting = createFleet({ shards, Client: pg.Client, connectTimeoutMs: 300 }).shards[0]!.connect()
      await expect(connecting).rejects.toMatchObject({ code: 'SHARD_UNREACHABLE' })
    } finally {
      await cluster.shards[0]!.resume()
    }
  })

  it.each([
    [{ shards: [], Client: pg.Client }, 'INVALID_OPTIONS'],
    [{ shards: [{ id: 'a', url: 'postgres://h/d' }] }, 'INVALID_OPTIONS'],
    [
      {
        shards: [
          { id: 'a', url: 'postgres://h/d' },
          { id: 'a', url: 'postgres://h/e' },
        ],
        Client: pg.Client,
      },
      'DUPLICATE_FLEET_SHARD',
    ],
    [{ shards: [{ id: 'a', url: 'nonsense s3cret' }], Client: pg.Client }, 'INVALID_SHARD_URL'],
  ])('refuses bad options', (options, code) => {
    expect(() => createFleet(options as never)).toThrow(expect.objectContaining({ code }))
    expect(() => createFleet(options as never)).not.toThrow(/s3cret/)
  })
})
