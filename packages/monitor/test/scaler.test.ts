import { ManualClock } from '@shardwright/core'
import {
  createScaler,
  type HistoryPoint,
  recommend,
  type ScalingAction,
  type ScalingRule,
  type ScalingTarget,
  spareServers,
} from '@shardwright/monitor'
import { auroraCapacity, auroraReplicas } from '@shardwright/monitor/aurora'
import { afterEach, describe, expect, it } from 'vitest'
import { type RdsState, startRdsDouble } from './rds-double.ts'

const minute = 60_000
const up: ScalingRule = {
  name: 'grow',
  target: 'capacity',
  metric: 'cpu',
  direction: 'up',
  threshold: 0.7,
  periodMs: minute,
  periods: 2,
  increment: 4,
  coolDownMs: 5 * minute,
  minimum: 2,
  maximum: 32,
}
const down: ScalingRule = { ...up, name: 'shrink', direction: 'down', threshold: 0.2, increment: 2 }
const action: ScalingAction = { target: 'capacity', rule: 'grow', direction: 'up', from: 8, to: 12, reason: 'cpu' }

/** Minutes of the given values, and the scaler's rounds after each. */
async function replay(targets: Record<string, ScalingTarget>, values: readonly number[], rules = [up, down]) {
  const clock = new ManualClock(1_000_000_000)
  const points: HistoryPoint[] = []
  const scaler = createScaler({ rules, targets, points: () => points, clock })
  const rounds = []
  for (const cpu of values) {
    await clock.advance(minute)
    points.push({ atMs: clock.now(), values: { cpu } })
    rounds.push(await scaler.round())
  }
  return rounds.map(({ outcomes }) => outcomes.map(({ action: { to }, outcome }) => `${outcome} ${to}`).join())
}

describe('a scaler', () => {
  it('keeps a cool-down over a restart, when it is given the changes that were made before', async () => {
    const clock = new ManualClock(1_000_000_000)
    const points = () => [1, 0].map((ago) => ({ atMs: clock.now() - ago * minute, values: { cpu: 0.9 } }))
    const targets = { capacity: recommend({ size: () => 8, say: () => {} }) }
    const first = createScaler({ rules: [up], targets, points, clock })
    expect((await first.round()).outcomes).toHaveLength(1)
    const kept = JSON.parse(JSON.stringify(first.changes))
    const restarted = createScaler({ rules: [up], targets, points, clock, changes: kept })
    expect((await restarted.round()).outcomes).toHaveLength(0)
    await clock.advance(5 * minute)
    expect((await restarted.round()).outcomes).toHaveLength(1)
    expect(() => createScaler({ rules: [up], targets, points, changes: [{ at: 1 }] as never })).toThrow(/changes/)
  })

  it('recommends, and says it again only after the cool-down', async () => {
    const said: number[] = []
    const target = recommend({ size: () => 8, say: ({ to }) => void said.push(to) })
    expect(await replay({ capacity: target }, Array(9).fill(0.9))).toEqual([
      '',
      'done 12',
      '',
      '',
      '',
      '',
      'done 12',
      '',
      '',
    ])
    expect(said).toEqual([12, 12])
  })

  it('tries again what failed, and does not count it as a change', async () => {
    let failures = 2
    let size = 8
    const target: ScalingTarget = {
      currentSize: async () => size,
      resize: async ({ to }) => {
        if (failures-- > 0) throw new Error('not now')
        size = to
      },
    }
    expect(await replay({ capacity: target }, Array(5).fill(0.9))).toEqual([
      '',
      'failed 12',
      'failed 12',
      'done 12',
      '',
    ])
  })

  it('does nothing while a size is not known', async () => {
    const target: ScalingTarget = {
      currentSize: async () => {
        throw new Error('no answer')
      },
      resize: async () => expect.unreachable(),
    }
    expect(await replay({ capacity: target }, Array(4).fill(0.9))).toEqual(['', '', '', ''])
    expect(await replay({}, Array(4).fill(0.9))).toEqual(['', '', '', ''])
  })

  it('has one round at a time', async () => {
    let resized = 0
    const target: ScalingTarget = {
      currentSize: async () => 8,
      resize: async () => {
        resized += 1
        await new Promise((resolve) => setTimeout(resolve, 20))
      },
    }
    const clock = new ManualClock(1_000_000_000)
    const points = [0, 1].map((back) => ({ atMs: clock.now() - (1 - back) * minute, values: { cpu: 1 } }))
    const scaler = createScaler({ rules: [up], targets: { capacity: target }, points: () => points, clock })
    const [one, two] = await Promise.all([scaler.round(), scaler.round()])
    expect(two).toBe(one)
    expect(resized).toBe(1)
  })

  it('takes spare servers one after the other, and no more than there are', async () => {
    const added: string[] = []
    const target = spareServers({
      size: () => 4 + added.length,
      spares: ['a', 'b', 'c'],
      add: async (spare) => {
        if (spare === 'b' && !added.includes('tried b')) {
          added.push('tried b')
          throw new Error('not reachable')
        }
        added.push(spare)
      },
    })
    const grow = (by: number) => target.resize({ ...action, from: 4, to: 4 + by })
    await grow(1)
    await expect(grow(2)).rejects.toThrow('not reachable')
    await grow(2)
    expect(added).toEqual(['a', 'tried b', 'b', 'c'])
    await expect(grow(1)).rejects.toMatchObject({ code: 'SCALING_NOT_POSSIBLE' })
    await expect(target.resize({ ...action, direction: 'down', from: 4, to: 3 })).rejects.toMatchObject({
      code: 'SCALING_NOT_POSSIBLE',
    })
  })
})

describe('Aurora', () => {
  const closers: (() => void)[] = []
  afterEach(() => {
    for (const close of closers.splice(0)) close()
  })

  async function aurora(state: Partial<RdsState> = {}) {
    const whole: RdsState = { status: 'available', capacity: { min: 2, max: 8 }, instances: ['writer'], ...state }
    const double = await startRdsDouble(whole)
    closers.push(double.close)
    return { ...double, state: whole, cluster: 'festival' }
  }

  it('grows and shrinks its largest capacity by rule', async () => {
    const { client, cluster, state, requests } = await aurora()
    const values = [0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]
    const outcomes = await replay({ capacity: auroraCapacity({ client, cluster }) }, values)
    expect(outcomes.filter((text) => text !== '')).toEqual(['done 12', 'done 10'])
    expect(state.capacity).toEqual({ min: 2, max: 10 })
    expect(requests.find(({ Action }) => Action === 'ModifyDBCluster')).toMatchObject({
      DBClusterIdentifier: 'festival',
      ApplyImmediately: 'true',
      'ServerlessV2ScalingConfiguration.MinCapacity': '2',
      'ServerlessV2ScalingConfiguration.MaxCapacity': '12',
    })
  })

  it('keeps the two bounds in order', async () => {
    const { client, cluster, state } = await aurora()
    await auroraCapacity({ client, cluster }).resize({ ...action, to: 1 })
    expect(state.capacity).toEqual({ min: 1, max: 1 })
    await auroraCapacity({ client, cluster, bound: 'minimum' }).resize({ ...action, to: 3.5 })
    expect(state.capacity).toEqual({ min: 3.5, max: 3.5 })
    await auroraCapacity({ client, cluster, bound: 'minimum' }).resize({ ...action, to: 0 })
    expect(state.capacity).toEqual({ min: 0, max: 3.5 })
  })

  it('refuses what Aurora does not have', async () => {
    const { client, cluster, state, requests } = await aurora()
    const capacity = auroraCapacity({ client, cluster })
    for (const to of [0.5, 8.3, 300, Number.NaN]) {
      await expect(capacity.resize({ ...action, to })).rejects.toMatchObject({ code: 'SCALING_NOT_POSSIBLE' })
    }
    expect(requests).toEqual([])
    state.status = 'modifying'
    await expect(capacity.resize(action)).rejects.toMatchObject({ code: 'SCALING_TARGET_BUSY' })
    state.capacity = undefined
    await expect(capacity.currentSize()).rejects.toMatchObject({ code: 'SCALING_NOT_POSSIBLE' })
    await expect(auroraCapacity({ client, cluster: 'other' }).currentSize()).rejects.toMatchObject({
      name: 'DBClusterNotFoundFault',
    })
  })

  it('adds readers, and removes only those it has named', async () => {
    const { client, cluster, state, requests } = await aurora({
      instances: ['writer', 'analytics', 'festival-reader-2'],
    })
    const replicas = auroraReplicas({ client, cluster })
    expect(await replicas.currentSize()).toBe(2)
    await replicas.resize({ ...action, from: 2, to: 4 })
    expect(state.instances).toEqual([
      'writer',
      'analytics',
      'festival-reader-2',
      'festival-reader-1',
      'festival-reader-3',
    ])
    expect(requests.find(({ Action }) => Action === 'CreateDBInstance')).toMatchObject({
      DBInstanceClass: 'db.serverless',
      Engine: 'aurora-postgresql',
      DBClusterIdentifier: 'festival',
    })
    await replicas.resize({ ...action, direction: 'down', from: 4, to: 2 })
    expect(state.instances).toEqual(['writer', 'analytics', 'festival-reader-1'])
    await expect(replicas.resize({ ...action, direction: 'down', from: 2, to: 0 })).rejects.toMatchObject({
      code: 'SCALING_NOT_POSSIBLE',
    })
    expect(state.instances).toEqual(['writer', 'analytics', 'festival-reader-1'])
  })
})
