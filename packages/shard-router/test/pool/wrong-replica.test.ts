import type { Topology } from '@shardwright/core'
import { type LocalCluster, startLocalCluster } from '@shardwright/local-cluster'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createShardPool } from '../../src/pool/create-shard-pool.ts'
import type { ShardPoolOptions } from '../../src/pool/pool-options.ts'
import { failureOf, read, topologyOf, write } from './pool-fixture.ts'

const mark = read('select mark from marks where mark <> $1', 0)
const small: ShardPoolOptions = { size: { minimum: 1, maximum: 3, overflow: 0 } }

describe('a replica that belongs to another shard', () => {
  let cluster: LocalCluster

  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2, replicasPerShard: 1 })
    const pool = createShardPool(topologyOf(cluster))
    for (const shard of [0, 1]) {
      await pool.execute(shard, write('create table marks (mark int)'))
      await pool.execute(shard, write('insert into marks values ($1)', shard + 1))
    }
    await pool.close()
    await Promise.all(cluster.shards.map((shard) => shard.replicas[0]!.caughtUp()))
  })
  afterAll(() => cluster?.stop())

  const withReplicas = (pick: (topology: Topology, shard: number) => Topology['shards'][number]['replicas']) => {
    const topology = topologyOf(cluster)
    return {
      ...topology,
      shards: topology.shards.map((shard, index) => ({ ...shard, replicas: pick(topology, index) })),
    }
  }
  const swapped = () => withReplicas((topology, shard) => topology.shards[1 - shard]!.replicas)

  test.each([true, false])('is an error at start, with the pipelined lane: %s', async (pipeline) => {
    const pool = createShardPool(swapped(), { ...small, lane: { pipeline } })
    expect(await failureOf(pool.warm())).toMatchObject({ code: 'WRONG_REPLICA', details: { sent: false } })
    await pool.close()
  })

  test('answers no read', async () => {
    for (const topology of [swapped(), withReplicas((all, shard) => [all.shards[1 - shard]!.primary])]) {
      const pool = createShardPool(topology, { ...small, replicas: { reads: 'replica', probeIntervalMs: 50 } })
      for (let turn = 0; turn < 10; turn++) {
        for (const shard of [0, 1]) {
          const { rows, server } = await pool.execute(shard, mark)
          expect({ rows, server }).toEqual({ rows: [{ mark: shard + 1 }], server: 'primary' })
        }
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      const lease = await pool.lease(0, { access: 'read' })
      expect((await lease.execute(mark)).rows).toEqual([{ mark: 1 }])
      lease.release()
      await pool.close()
    }
    const strict = createShardPool(swapped(), { ...small, replicas: { reads: 'replica', whenNoReplica: 'refuse' } })
    expect(await failureOf(strict.execute(0, mark))).toMatchObject({
      code: 'NO_REPLICA',
      message: expect.stringContaining('another primary'),
    })
    await strict.close()
  })

  test('is not one that is only down, which start does not wait for', async () => {
    const replica = cluster.shards[0]!.replicas[0]!
    await replica.stop()
    const lines: string[] = []
    const telemetry = {
      count() {},
      record() {},
      gauge() {},
      span: () => ({ end() {} }),
      log: (_: string, line: string) => void lines.push(line),
    }
    const pool = createShardPool(topologyOf(cluster), { ...small, telemetry, replicas: { reads: 'replica' } })
    await pool.warm()
    expect(lines.some((line) => line.includes('cannot be reached'))).toBe(true)
    expect((await pool.execute(0, mark)).server).toBe('primary')
    await pool.close()
    await replica.start()
  })
})
