import { type Clock, createFleet, fleetWorkerLeases, idLayout, ManualClock, systemClock } from '@shardwright/core'
import { clockContract, fleetContract, workerLeasesContract } from '@shardwright/core/contracts'
import { startLocalCluster } from '@shardwright/local-cluster'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

describe.each<[string, () => Clock]>([
  ['systemClock', () => systemClock],
  ['ManualClock', () => new ManualClock()],
])('%s keeps the clock contract', (_, make) => {
  it.each(clockContract)('$name', ({ check }) => check(async () => make()))
})

describe('the clock contract sees', () => {
  const broken: Clock = { now: () => 0, monotonicMs: () => -Math.random(), sleep: async () => {} }
  it.each(clockContract)('a clock that breaks it: $name', async ({ check }) => {
    await expect(check(async () => broken)).rejects.toThrow()
  })
})

describe('on servers', () => {
  let cluster: Awaited<ReturnType<typeof startLocalCluster>>
  beforeAll(async () => {
    cluster = await startLocalCluster({ shards: 2, databasePerShard: true })
  })
  afterAll(async () => {
    await cluster?.stop()
  })
  const fleet = () => createFleet({ shards: cluster.shards.map(({ id, url }) => ({ id, url })), Client: pg.Client })

  it.each(fleetContract)('createFleet keeps the fleet contract: $name', ({ check }) => check(async () => fleet()))

  it.each(workerLeasesContract)('fleetWorkerLeases keeps its contract: $name', ({ check }) =>
    check(async () => fleetWorkerLeases({ fleet: fleet(), layout: idLayout({ buckets: 1024 }) })),
  )
})
