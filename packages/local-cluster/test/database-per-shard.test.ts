import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalCluster, startLocalCluster } from '../src/index.ts'
import { query } from './support/query.ts'

describe('one server with a database per shard', () => {
  let cluster: LocalCluster

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 3, databasePerShard: true, settings: { work_mem: '7MB' } })
  })
  afterAll(() => cluster?.stop())

  it('gives each shard a database of its own on the same server', async () => {
    expect(cluster.shards.map((shard) => shard.id)).toEqual(['shard-1', 'shard-2', 'shard-3'])
    expect(cluster.servers).toHaveLength(1)
    await query(cluster.shard('shard-1').url, 'CREATE TABLE only_here (id int)')
    const counts = await Promise.all(
      cluster.shards.map(async ({ url }) => {
        const [row] = await query<{ there: boolean }>(url, `SELECT to_regclass('only_here') IS NOT NULL AS there`)
        return row?.there
      }),
    )
    expect(counts).toEqual([true, false, false])
  })

  it('has the settings that the product needs, and those of the caller', async () => {
    const settings = await query<{ name: string; setting: string }>(
      cluster.shard('shard-1').url,
      `SELECT name, setting FROM pg_settings WHERE name IN
       ('max_prepared_transactions', 'wal_level', 'autovacuum', 'work_mem', 'server_version_num')`,
    )
    const byName = Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))
    expect(byName).toMatchObject({
      max_prepared_transactions: '64',
      wal_level: 'logical',
      autovacuum: 'on',
      work_mem: '7168',
    })
    expect(Number(byName.server_version_num)).toBeGreaterThanOrEqual(180_000)
  })

  it('refuses a wrong password', async () => {
    const url = new URL(cluster.shard('shard-1').url)
    url.password = randomBytes(4).toString('hex')
    await expect(query(url.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
  })

  it('creates further databases, with ICU when asked', async () => {
    const shard = cluster.shard('shard-2')
    const plain = await shard.createDatabase('oracle')
    const icu = await shard.createDatabase('oracle_icu', { icu: true })
    const order = `SELECT array_agg(t ORDER BY t) AS sorted FROM (VALUES ('b'), ('A'), ('a'), ('B')) AS v(t)`
    expect(await query(plain, order)).toEqual([{ sorted: ['A', 'B', 'a', 'b'] }])
    expect(await query(icu, order)).toEqual([{ sorted: ['a', 'A', 'b', 'B'] }])
  })

  it.each(['', 'a b', 'x'.repeat(64), 'a"b'])('refuses %j as the name of a database', async (name) => {
    await expect(cluster.shard('shard-1').createDatabase(name)).rejects.toMatchObject({ code: 'DATABASE_NAME' })
  })

  it('is a topology and a fleet', async () => {
    expect(cluster.topologyInput().shards).toEqual(
      cluster.shards.map(({ id, url }) => ({ id, primary: url, replicas: [] })),
    )
    for (const shard of cluster.fleet('festival').shards) {
      await using connection = await shard.connect()
      const { rows } = await connection.query('SELECT current_database() AS name')
      expect(rows).toEqual([{ name: shard.id.replace('-', '_') }])
    }
  })

  it('names the shards it has when asked for another', () => {
    expect(() => cluster.shard('shard-9')).toThrow(/no shard shard-9; the cluster has shard-1, shard-2, shard-3/)
  })
})

describe('an ICU cluster', () => {
  it('sorts by ICU, and takes deterministic and non-deterministic collations', async () => {
    await using cluster = await startLocalCluster({ shards: 1, icu: 'en-US' })
    const { url } = cluster.shard('shard-1')
    await query(url, `CREATE COLLATION same_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`)
    await query(url, `CREATE COLLATION german (provider = icu, locale = 'de-DE')`)
    expect(
      await query(
        url,
        `SELECT 'Ada' = 'ADA' COLLATE same_case AS folded, 'Ada' = 'ADA' AS plain, 'ä' < 'b' COLLATE german AS german,
                datlocprovider, datlocale FROM pg_database WHERE datname = current_database()`,
      ),
    ).toEqual([{ folded: true, plain: false, german: true, datlocprovider: 'i', datlocale: 'en-US' }])
  })
})

describe('options', () => {
  it.each([
    [{ shards: 0 }, 'shards'],
    [{ shards: 1.5 }, 'shards'],
    [{ replicasPerShard: -1 }, 'replicasPerShard'],
    [{ startTimeoutMs: 0 }, 'startTimeoutMs'],
    [{ settings: { 'port = 1\n#': 1 } }, 'settings'],
    [{ icu: "und'" }, 'icu'],
  ])('refuses %j', async (options, option) => {
    await expect(startLocalCluster(options)).rejects.toMatchObject({
      code: 'LOCAL_CLUSTER_OPTIONS',
      details: { option },
    })
  })

  it('fails with the log of a server that does not start', async () => {
    const error = await startLocalCluster({ settings: { shared_buffers: 'much' } }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'SERVER_START_FAILED' })
    expect(JSON.stringify((error as { details: unknown }).details)).toContain('shared_buffers')
  })
})
