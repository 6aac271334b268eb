import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runWithDeadline } from '../../src/pool/call-context.ts'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { ShardPool } from '../../src/pool/shard-pool.ts'
import { failureOf, read, topologyOf, write } from './pool-fixture.ts'

describe('deadlines of a context', () => {
  let cluster: LocalCluster
  let pool: ShardPool

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
    pool = createShardPool(topologyOf(cluster))
  })
  afterAll(async () => {
    await pool.close()
    await cluster.stop()
  })

  const sleep = (seconds: number) => read(`select pg_sleep(${seconds})`)

  test('are shared by the statements of all shards, and the earlier one counts', async () => {
    await runWithDeadline(400, async () => {
      const both = await Promise.all([0, 1].map((shard) => failureOf(pool.execute(shard, sleep(30)))))
      expect(both.map((failure) => failure.code)).toEqual(['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED'])
      expect((await failureOf(pool.execute(0, sleep(0)))).code).toBe('DEADLINE_EXCEEDED')
    })
    const nested = runWithDeadline(300, () => runWithDeadline(60_000, () => failureOf(pool.execute(0, sleep(30)))))
    expect((await nested).code).toBe('DEADLINE_EXCEEDED')
    expect((await pool.execute(0, sleep(0))).rowCount).toBe(1)
  })

  test('hold in a transaction, which can be rolled back after it', async () => {
    const lease = await pool.lease(0)
    await runWithDeadline(300, async () => {
      await lease.execute(write('begin'))
      await lease.execute(read('select 1'))
      expect((await failureOf(lease.execute(sleep(30)))).code).toBe('DEADLINE_EXCEEDED')
      expect((await lease.execute(write('rollback'))).command).toBe('ROLLBACK')
    })
    lease.release()
    expect((await pool.execute(0, read("select current_setting('statement_timeout') t"))).rows).toEqual([{ t: '0' }])
  })

  test('longer than a timer can wait are none; what is no number is refused', async () => {
    for (const deadlineMs of [2 ** 31, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY]) {
      const slow = runWithDeadline(deadlineMs, () => pool.execute(0, read('select pg_sleep(0.3), 1 as one')))
      expect((await slow).rowCount).toBe(1)
    }
    // One around it stays in force all the same.
    const inner = runWithDeadline(200, () =>
      runWithDeadline(Number.POSITIVE_INFINITY, () => failureOf(pool.execute(0, sleep(30)))),
    )
    expect((await inner).code).toBe('DEADLINE_EXCEEDED')
    expect((await runWithDeadline(-5, () => failureOf(pool.execute(0, sleep(0))))).code).toBe('DEADLINE_EXCEEDED')
    expect(() => runWithDeadline(Number.NaN, () => 1)).toThrow(/milliseconds, not NaN/)
    expect(() => createShardPool(topologyOf(cluster), { closeTimeoutMs: 2 ** 31 })).toThrow(/closeTimeoutMs/)
    const patient = createShardPool(topologyOf(cluster), { size: { maxLifetimeMs: 2 ** 40 } })
    expect((await patient.execute(0, read('select 1 as one where 1 = $1', 1))).rowCount).toBe(1)
    await patient.close()
  })
})
