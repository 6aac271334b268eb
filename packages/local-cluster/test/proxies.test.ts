import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findProgram, type LocalCluster, startHaproxy, startLocalCluster, startPgBouncer } from '../src/index.ts'
import { eventually } from './support/eventually.ts'
import { query } from './support/query.ts'

const [pgbouncer, haproxy] = await Promise.all([findProgram('pgbouncer'), findProgram('haproxy')])

let cluster: LocalCluster

beforeAll(async () => {
  cluster = await startLocalCluster({ shards: 2 })
})
afterAll(() => cluster?.stop())

describe.skipIf(pgbouncer === undefined)('PgBouncer', () => {
  it('pools by transaction: two clients share one backend', async () => {
    const target = cluster.shard('shard-1').url
    await using pooler = await startPgBouncer({ target, poolMode: 'transaction', settings: { default_pool_size: 1 } })
    const clients = [new Client(pooler.url), new Client(pooler.url)]
    const backends = new Set<unknown>()
    for (const client of clients) {
      await client.connect()
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid, current_database() AS name')
      backends.add(rows[0]?.pid)
      expect(rows[0]?.name).toBe('app')
    }
    expect(backends.size).toBe(1)
    for (const client of clients) await client.end()
    await expect(query(pooler.url.replace(/:[^:@/]+@/, ':wrong@'), 'SELECT 1')).rejects.toThrow()
  })

  it('can be killed and started, and closes for good', async () => {
    const pooler = await startPgBouncer({ target: cluster.shard('shard-1').url, poolMode: 'session' })
    await pooler.kill()
    await expect(query(pooler.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await pooler.start()
    expect(await query(pooler.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    await pooler.stop()
    await pooler.close()
    await pooler.close()
    expect(pooler.state).toBe('stopped')
  })
})

describe.skipIf(haproxy === undefined)('HAProxy', () => {
  it('goes to the next server when the first is down', async () => {
    const [first, second] = [cluster.shard('shard-1'), cluster.shard('shard-2')]
    await using proxy = await startHaproxy({ targets: [first.url, second.url], balance: 'first' })
    const portOf = async () => (await query<{ port: number }>(proxy.url, 'SELECT inet_server_port() AS port'))[0]?.port
    expect(await portOf()).toBe(first.server.port)
    await first.kill()
    await eventually('the second server answers', async () => (await portOf().catch(() => 0)) === second.server.port)
    await first.start()
  })
})

describe('a proxy', () => {
  it('refuses a target that is no URL, without showing it', async () => {
    await expect(startPgBouncer({ target: 'postgres//app:secret@', poolMode: 'session' })).rejects.toMatchObject({
      code: 'LOCAL_CLUSTER_OPTIONS',
      message: expect.not.stringContaining('secret'),
    })
    await expect(startHaproxy({ targets: [] })).rejects.toMatchObject({ code: 'LOCAL_CLUSTER_OPTIONS' })
  })
})
