import { describe, expect, it } from 'vitest'
import { defaultMetrics, type Limits, type MetricDefinition, MonitorError, ThresholdWatch } from '../src/index.ts'

const base = defaultMetrics.find(({ name }) => name === 'latency_p95_ms') as MetricDefinition
const limited = (name: string, given: Partial<Limits>): MetricDefinition => ({
  ...base,
  name,
  limits: { ...(base.limits as Limits), forMs: 20_000, clearMs: 30_000, hysteresis: 0.1, ...given },
})
const latency = limited('latency_p95_ms', {})
const lag = limited('lag', { graceMs: 100_000, forMs: 0 })

/** Feeds values 10 s apart; returns the levels told, as `second:level`. */
function told(watch: ThresholdWatch, values: readonly (number | undefined)[], metric = 'latency_p95_ms', from = 0) {
  return values.flatMap((value, index) => {
    const second = from + index * 10
    return watch.observe([{ metric, subject: 's1', value }], second * 1000).map(({ level }) => `${second}:${level}`)
  })
}

describe('ThresholdWatch', () => {
  it('tells a level only when it lasted', () => {
    expect(told(new ThresholdWatch({ metrics: [latency] }), [50, 600, 50, 600, 50, 600])).toEqual([])
    expect(told(new ThresholdWatch({ metrics: [latency] }), [50, 600, 600, 600, 600])).toEqual(['30:critical'])
  })

  it('tells the warning when values swing between warning and critical', () => {
    expect(told(new ThresholdWatch({ metrics: [latency] }), [600, 200, 600, 200])).toEqual(['20:warning'])
  })

  it('does not flap around the threshold: it clears below it by the hysteresis, and after a time', () => {
    const watch = new ThresholdWatch({ metrics: [latency] })
    expect(told(watch, [110, 110, 110, 95, 99, 95, 95, 95, 101, 95])).toEqual(['20:warning'])
    expect(told(watch, [80, 80, 95, 80, 80, 80, 80, 80], 'latency_p95_ms', 100)).toEqual(['160:ok'])
  })

  it('goes from critical to warning, and back', () => {
    const watch = new ThresholdWatch({ metrics: [latency] })
    expect(told(watch, [600, 600, 600, 200, 200, 200, 200, 600, 600, 600])).toEqual([
      '20:critical',
      '60:warning',
      '90:critical',
    ])
  })

  it('takes missing data neither for good nor for bad, and says so when it lasts', () => {
    const missing = undefined
    const watch = new ThresholdWatch({ metrics: [latency], staleMs: 50_000 })
    expect(told(watch, [600, missing, missing])).toEqual([])
    const bad = new ThresholdWatch({ metrics: [latency], staleMs: 50_000 })
    const values = [600, 600, 600, ...Array(7).fill(missing), 50, 50, 50]
    expect(told(bad, values)).toEqual(['20:critical', '80:unknown', '120:ok'])
    expect(watch.levelOf('latency_p95_ms', 'nobody')).toBe('unknown')
  })

  it('gives a replica that restarts a grace period', () => {
    const watch = new ThresholdWatch({ metrics: [lag], staleMs: 30_000 })
    expect(told(watch, [900, 900, 900], 'lag')).toEqual([])
    expect(told(watch, [900], 'lag', 100)).toEqual([])
    const fresh = new ThresholdWatch({ metrics: [lag], staleMs: 30_000 })
    expect(told(fresh, Array(12).fill(900), 'lag')).toEqual(['100:critical'])
    const calm = new ThresholdWatch({ metrics: [lag], staleMs: 30_000 })
    told(calm, Array(12).fill(1), 'lag')
    // Away for two minutes: told as unknown when somebody looks, and then no alert while it catches up.
    expect(told(calm, [undefined, 900, 900, 1, 1], 'lag', 240)).toEqual(['240:unknown'])
  })

  it('knows that low values are bad for some, and that the threshold itself is not beyond it', () => {
    const hits = limited('hits', { worse: 'below', warning: 0.9, critical: 0.8, forMs: 0 })
    expect(told(new ThresholdWatch({ metrics: [hits] }), [0.9, 0.89, 0.5], 'hits')).toEqual([
      '10:warning',
      '20:critical',
    ])
  })

  it('lets no noisy shard speak for all', () => {
    const watch = new ThresholdWatch({ metrics: [limited('latency_p95_ms', { forMs: 0 })] })
    const see = (values: readonly number[]) =>
      watch.observe(
        values.map((value, index) => ({ metric: 'latency_p95_ms', subject: `s${index}`, value })),
        0,
      )
    see([900, 1, 1, 1])
    expect(watch.levelOf('latency_p95_ms', 's0')).toBe('critical')
    expect(watch.fleetLevelOf('latency_p95_ms')).toBe('ok')
    see([900, 200, 1, 1])
    expect(watch.fleetLevelOf('latency_p95_ms')).toBe('warning')
    see([900, 900, 1, 1])
    expect(watch.fleetLevelOf('latency_p95_ms')).toBe('critical')
    expect(watch.fleetLevelOf('nothing')).toBe('unknown')
  })

  it('stands still while the clock goes back', () => {
    const watch = new ThresholdWatch({ metrics: [latency] })
    told(watch, [600, 600])
    expect(told(watch, [600, 600], 'latency_p95_ms', -5000)).toEqual([])
    expect(told(watch, [600], 'latency_p95_ms', 20)).toEqual(['20:critical'])
  })

  it('refuses definitions that cannot be meant', () => {
    expect(() => new ThresholdWatch({ metrics: [limited('latency_p95_ms', { critical: 50 })] })).toThrow(
      /critical must not be milder/,
    )
    expect(() => new ThresholdWatch({ metrics: [latency, latency] })).toThrow(MonitorError)
  })
})
