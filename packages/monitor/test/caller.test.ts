import { ManualClock } from '@shardwright/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callerTelemetry, createMonitor, hotKeys } from '../src/index.ts'
import { CountMin } from '../src/keys/count-min.ts'

const statement = (shard: string, name: string) => Object.freeze({ shard, statement: name })

describe('callerTelemetry', () => {
  it('tells rates, percentiles and errors per shard, of the last minutes only', async () => {
    const clock = new ManualClock()
    const telemetry = callerTelemetry({ clock, windowMs: 1_000, windows: 10 })
    const [fast, slow] = [statement('s1', 'SELECT a'), statement('s2', 'SELECT a')]
    for (let second = 0; second < 5; second++) {
      for (let call = 0; call < 100; call++) {
        telemetry.record('shardwright.pool.statement_ms', 1 + call / 100, fast)
        telemetry.record('shardwright.pool.statement_ms', 100 + call, slow)
      }
      telemetry.count('shardwright.pool.errors', 2, { shard: 's2', code: '57014' })
      await clock.advance(1_000)
    }
    const value = (metric: string, shard?: string) =>
      telemetry.read().find((sample) => sample.metric === metric && sample.labels.shard === shard)?.value
    expect(value('statements_per_second', 's1')).toBeCloseTo(100, 6)
    expect(value('latency_p95_ms', 's1')).toBeCloseTo(1.95, 1)
    expect(value('latency_p95_ms', 's2')).toBeCloseTo(195, -1)
    expect(value('errors_ratio', 's1')).toBe(0)
    expect(value('errors_ratio', 's2')).toBeCloseTo(0.02, 9)
    expect(telemetry.latency().size).toBe(1_000)
    await clock.advance(20_000)
    expect(value('statements_per_second', 's1')).toBe(0)
    // Nothing was measured: no percentile, no ratio, which is not zero.
    expect(value('latency_p95_ms', 's1')).toBeUndefined()
    expect(value('errors_ratio', 's2')).toBeUndefined()
  })

  it('tells the hit ratio of our cache, and what scatters, the most frequent first', () => {
    const telemetry = callerTelemetry({ clock: new ManualClock() })
    telemetry.count('shardwright.cache.hits', 1, { name: 'wallet', tier: 'memory' })
    telemetry.count('shardwright.cache.hits', 2, { name: 'wallet', tier: 'redis' })
    telemetry.count('shardwright.cache.misses', 1, { name: 'wallet' })
    telemetry.count('shardwright.cache.misses', 1, { name: 'cold' })
    const ratios = telemetry.read().filter(({ metric }) => metric === 'own_cache_hit_ratio')
    expect(ratios.map(({ labels, value }) => [labels.cache, value])).toEqual([
      ['wallet', 0.75],
      ['cold', 0],
    ])
    const [often, seldom] = [{ statement: 'SELECT orders' }, { statement: 'UPDATE wallets' }]
    telemetry.record('shardwright.router.scatter_shards', 4, seldom)
    for (const shards of [4, 4, 2]) telemetry.record('shardwright.router.scatter_shards', shards, often)
    expect(telemetry.scatters()).toEqual([
      { statement: 'SELECT orders', calls: 3, shards: 10 / 3 },
      { statement: 'UPDATE wallets', calls: 1, shards: 4 },
    ])
  })

  it('bounds its series: statements without end become one', () => {
    const telemetry = callerTelemetry({ maxSeries: 3, clock: new ManualClock() })
    for (let index = 0; index < 50; index++) {
      telemetry.record('shardwright.pool.statement_ms', 1, statement('s1', `SELECT t${index}`))
    }
    expect(telemetry.series()).toHaveLength(4)
    expect(telemetry.latency({ statement: 'other' }).size).toBe(47)
  })
})

describe('hot keys', () => {
  it('never count too low, and too high within the bound of the sketch', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 4 }), { maxLength: 400 }), (keys) => {
        const sketch = new CountMin(64, 5)
        const exact = new Map<string, number>()
        for (const key of keys) {
          sketch.add(key)
          exact.set(key, (exact.get(key) ?? 0) + 1)
        }
        let far = 0
        for (const [key, count] of exact) {
          expect(sketch.estimate(key)).toBeGreaterThanOrEqual(count)
          if (sketch.estimate(key) > count + (Math.E / 64) * keys.length + 1) far++
        }
        expect(far).toBeLessThanOrEqual(1 + exact.size * 0.02)
      }),
    )
  })

  it('find the frequent keys of a skewed stream, whatever else passes by', () => {
    const keys = hotKeys({ clock: new ManualClock(), top: 5, width: 512 })
    // Deterministic noise of 20,000 different keys around three hot ones.
    for (let turn = 0; turn < 40_000; turn++) {
      keys.see('user_id', `cold-${turn % 20_000}`)
      if (turn % 2 === 0) keys.see('user_id', 'hottest')
      if (turn % 4 === 0) keys.see('user_id', 42)
      if (turn % 10 === 0) keys.see('festival_id', 'f1')
    }
    const top = keys.top('user_id')
    expect(top.slice(0, 2).map(({ key }) => key)).toEqual(['hottest', '42'])
    expect(top[0]?.uses).toBeGreaterThanOrEqual(20_000)
    expect(top[0]?.uses).toBeLessThan(20_500)
    expect(top[0]?.share).toBeCloseTo(20 / 70, 1)
    expect(keys.top('festival_id')).toEqual([{ family: 'festival_id', key: 'f1', uses: 4_000, share: 1 }])
    expect(keys.top('unknown')).toEqual([])
  })

  it('forget what is older than two windows, and tell no ratio of few uses', async () => {
    const clock = new ManualClock()
    const keys = hotKeys({ clock, windowMs: 1_000 })
    const ratio = () => keys.read().find(({ labels }) => labels.family === 'user_id')?.value
    for (let turn = 0; turn < 2_000; turn++) keys.see('user_id', turn % 2)
    expect(ratio()).toBe(0.5)
    await clock.advance(1_000)
    keys.see('user_id', 'new')
    expect(keys.top('user_id').map(({ key }) => key)).toEqual(['0', '1', 'new'])
    await clock.advance(1_000)
    expect(keys.top('user_id').map(({ key }) => key)).toEqual(['new'])
    expect(ratio()).toBeUndefined()
    await clock.advance(10_000)
    expect(keys.top('user_id')).toEqual([])
  })
})

it('the monitor judges what the process measured by the same thresholds, and a source that throws is a failure', async () => {
  const clock = new ManualClock()
  const telemetry = callerTelemetry({ clock, windowMs: 1_000, windows: 5 })
  const broken = {
    name: 'broken',
    read: () => {
      throw new Error('no figure')
    },
  }
  const gauges: string[] = []
  const monitor = createMonitor({
    fleet: { topologyId: 't', shards: [] },
    sources: [telemetry, broken],
    clock,
    telemetry: { ...telemetry, gauge: (name) => void gauges.push(name) },
  })
  const levels: string[] = []
  for (let minute = 0; minute < 5; minute++) {
    for (let call = 0; call < 100; call++) {
      telemetry.record('shardwright.pool.statement_ms', 900, statement('s1', 'SELECT a'))
      telemetry.record('shardwright.pool.statement_ms', 3, statement('s2', 'SELECT a'))
    }
    const round = await monitor.collect()
    expect(round.failures).toMatchObject([{ shard: '', collector: 'broken' }])
    levels.push(...round.alerts.map(({ metric, subject, level }) => `${minute} ${metric} ${subject} ${level}`))
    await clock.advance(60_000)
  }
  expect(levels).toEqual(['2 latency_p95_ms s1 critical'])
  // Prometheus has the histograms themselves.
  expect(gauges).toEqual([])
})
