import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineTopology } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectFailure } from '../../src/pool/connect-failure.ts'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { ShardPoolOptions } from '../../src/pool/pool-options.ts'
import { serverAddresses } from '../../src/pool/server-address.ts'
import { failureOf, read } from './pool-fixture.ts'

describe('servers that cannot be used', () => {
  let cluster: LocalCluster
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sw-'))
    // The server does not run as whoever runs the tests.
    await chmod(folder, 0o777)
    cluster = await startLocalCluster({ shards: 1, settings: { unix_socket_directories: folder } })
  })
  afterAll(async () => {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const refusalOf = async (change: (url: URL) => void, options: ShardPoolOptions = {}) => {
    const url = new URL(cluster.shards[0]!.url)
    change(url)
    const topology = defineTopology({ hash: 'postgres', shards: [{ id: 'shard-1', primary: url.href }] })
    const pool = createShardPool(topology, options)
    const failures = await Promise.all([
      failureOf(pool.execute(0, read('select 1 as one where 1 = $1', 1))),
      failureOf(pool.lease(0)),
      failureOf(pool.direct(0)),
    ])
    await pool.close()
    for (const failure of failures) {
      expect(failure).toMatchObject({ name: 'ConnectionError', details: { shard: 'shard-1', sent: false } })
      const told = `${failure.message}${failure.hint}${JSON.stringify(failure.details)}`
      if (url.password !== '') expect(told).not.toContain(url.password)
      expect(failure.hint).not.toContain('may or may not')
    }
    expect(new Set(failures.map((failure) => failure.code)).size).toBe(1)
    return failures[0]!
  }
  const parameter = (name: string, value: string) => (url: URL) => url.searchParams.set(name, value)

  test('a socket is reached by every form of its URL, and named by its folder', async () => {
    const { username, password, port, pathname } = new URL(cluster.shards[0]!.url)
    const urls = [
      `postgres://${username}:${password}@${encodeURIComponent(folder)}:${port}${pathname}`,
      `postgres://${username}:${password}@${pathname}?host=${folder}&port=${port}`,
      `postgres://${pathname}?host=${folder}&port=${port}&user=${username}&password=${password}`,
    ]
    for (const url of urls) {
      const topology = defineTopology({ hash: 'postgres', shards: [{ id: 'shard-1', primary: url }] })
      expect(topology.shards[0]?.primary.address).toBe(`${folder}:${port}${pathname}`.toLowerCase())
      const pool = createShardPool(topology)
      const socket = 'select inet_server_addr() as address, pg_sleep(0)::text as slept'
      expect((await pool.execute(0, read(socket))).rows).toMatchObject([{ address: null }])
      expect((await pool.execute(0, read('select 1 as one where 1 = $1', 1))).rows).toEqual([{ one: 1 }])
      await pool.close()
      const [address] = serverAddresses(url.replace(port, '1'))
      expect(address?.label).toBe(`${folder}:1${pathname}`)
    }
  })

  test('TLS that does not come about', async () => {
    for (const mode of ['prefer', 'require', 'verify-full', 'no-verify']) {
      const failure = await refusalOf(parameter('sslmode', mode))
      expect(failure).toMatchObject({ code: 'TLS_FAILED', hint: expect.stringContaining('sslmode') })
      expect(failure.message).toContain('does not offer TLS')
    }
    const absent = await refusalOf((url) => {
      url.searchParams.set('sslmode', 'verify-full')
      url.searchParams.set('sslrootcert', '/nowhere/root.pem')
    })
    expect(absent).toMatchObject({ code: 'TLS_FAILED', message: expect.stringContaining('ENOENT') })
  })

  test('a URL without the password that the server asks for', async () => {
    const failure = await refusalOf((url) => {
      url.password = ''
    })
    expect(failure).toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      message: expect.stringContaining('its URL has none'),
    })
  })

  test('what the server itself says is told', async () => {
    const unknown = await refusalOf(parameter('options', '-c nonsense=1'))
    expect(unknown).toMatchObject({ code: 'CONNECTION_REJECTED', message: expect.stringContaining('"nonsense"') })
    const zone = await refusalOf(() => {}, { timeZone: 'Mars/Base' })
    expect(zone).toMatchObject({ code: 'CONNECTION_REJECTED', message: expect.stringContaining('"Mars/Base"') })
    const admin = createShardPool(defineTopology({ hash: 'postgres', ...cluster.topologyInput() }))
    await using client = Object.assign(await admin.direct(0), {
      [Symbol.asyncDispose]: () => admin.close().then(() => client.end()),
    })
    await client.query(`create role outsider login password 'w-secret'`)
    await client.query(`alter database "${cluster.shards[0]!.database}" connection limit 0`)
    const full = await refusalOf(
      (url) => {
        url.username = 'outsider'
        url.password = 'w-secret'
      },
      { retry: { maxRetries: 0 } },
    )
    // It may pass by itself: what is safe is tried again.
    expect(full).toMatchObject({ code: 'SHARD_UNREACHABLE', message: expect.stringContaining('53300') })
    expect(full.message).toContain('too many connections')
    await client.query(`alter database "${cluster.shards[0]!.database}" connection limit -1`)
    await client.query('drop role outsider')
  })

  test('pg_hba.conf that admits nobody without TLS', () => {
    const [address] = serverAddresses('postgres://app:w-secret@db1/festival')
    const message = 'no pg_hba.conf entry for host "10.0.0.7", user "app", database "festival", no encryption'
    const answer = Object.assign(new Error(message), { code: '28000', severity: 'FATAL' })
    expect(connectFailure('shard-1', address!, answer)).toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      message: 'db1:5432/festival (shard shard-1) admits no such user from here without TLS.',
      hint: expect.stringContaining('sslmode=verify-full'),
    })
  })
})
