// Hostile replays: whatever values come and whenever, each alert can be justified from what was seen.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Alert, defaultMetrics, type Limits, type MetricDefinition, ThresholdWatch } from '../src/index.ts'

const staleMs = 60_000
const base = defaultMetrics.find(({ name }) => name === 'latency_p95_ms') as MetricDefinition
const limits: Limits = {
  ...(base.limits as Limits),
  warning: 100,
  critical: 500,
  forMs: 40_000,
  clearMs: 90_000,
  hysteresis: 0.2,
  graceMs: 50_000,
}
const metric: MetricDefinition = { ...base, limits }

interface Seen {
  readonly atMs: number
  readonly value: number
}

const value = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(10, 79, 81, 99, 100, 101, 399, 401, 500, 501, 900) },
  { weight: 1, arbitrary: fc.constantFrom(undefined, Number.NaN, Number.POSITIVE_INFINITY) },
)
/** Runs of one value, with steps in seconds; a long one is a gap, a negative one a clock that goes back. */
const script = fc.array(
  fc.record({
    value,
    steps: fc.array(
      fc.oneof(
        { weight: 10, arbitrary: fc.integer({ min: 1, max: 25 }) },
        { weight: 1, arbitrary: fc.constantFrom(70, 200, -30, 0) },
      ),
      { minLength: 1, maxLength: 12 },
    ),
  }),
  { maxLength: 14 },
)

/** From when there was data without a gap, up to the end of `seen`. */
function unbrokenFrom(seen: readonly Seen[]): number {
  let from = seen.at(-1)?.atMs ?? Number.POSITIVE_INFINITY
  for (let index = seen.length - 1; index > 0; index--) {
    const [before, here] = [seen[index - 1] as Seen, seen[index] as Seen]
    if (here.atMs - before.atMs > staleMs) break
    from = before.atMs
  }
  return from
}

const within = (seen: readonly Seen[], fromMs: number) => seen.filter(({ atMs }) => atMs >= fromMs)

function justify({ level, before, atMs }: Alert, seen: readonly Seen[], nowMs: number, firstMs: number): void {
  const last = seen.at(-1)
  if (level === 'unknown') {
    expect(nowMs - (last?.atMs ?? firstMs)).toBeGreaterThan(staleMs)
    return
  }
  const lastMs = last?.atMs as number
  expect(nowMs - lastMs).toBeLessThanOrEqual(staleMs)
  const unbroken = unbrokenFrom(seen)
  // Nothing is told in the grace period after it appeared, or came back.
  expect(lastMs - unbroken).toBeGreaterThanOrEqual(limits.graceMs)
  const rank = { unknown: -1, ok: 0, warning: 1, critical: 2 }
  const up = rank[level] > rank[before]
  const spanMs = up ? limits.forMs : limits.clearMs
  expect(lastMs - limits.graceMs - unbroken, `${before} to ${level} at ${atMs}`).toBeGreaterThanOrEqual(spanMs)
  for (const { value: one } of within(seen, lastMs - spanMs)) {
    if (level === 'critical') expect(one).toBeGreaterThan(limits.critical)
    if (level === 'warning' && up) expect(one).toBeGreaterThan(limits.warning)
    if (level === 'warning' && !up) expect(one).toBeLessThanOrEqual(limits.critical * (1 - limits.hysteresis))
    if (level === 'ok' && before !== 'unknown')
      expect(one).toBeLessThanOrEqual(limits.warning * (1 - limits.hysteresis))
  }
}

it('every alert can be justified, levels follow one another, and what lasts is told', () => {
  fc.assert(
    fc.property(script, (runs) => {
      const watch = new ThresholdWatch({ metrics: [metric], staleMs })
      const seen: Seen[] = []
      let clock = 0
      let now = Number.NEGATIVE_INFINITY
      let firstMs: number | undefined
      let level: Alert['level'] = 'ok'
      for (const run of runs) {
        for (const step of run.steps) {
          clock += step * 1000
          now = Math.max(now, clock)
          firstMs ??= now
          const alerts = watch.observe([{ metric: metric.name, subject: 's1', value: run.value }], clock)
          if (run.value !== undefined && Number.isFinite(run.value)) {
            // Of two values at one time, as while a clock goes back, the later one counts.
            if (seen.at(-1)?.atMs === now) seen.pop()
            seen.push({ atMs: now, value: run.value })
          }
          expect(alerts.length).toBeLessThanOrEqual(1)
          for (const alert of alerts) {
            expect(alert.before).toBe(level)
            expect(alert.level).not.toBe(level)
            justify(alert, seen, now, firstMs)
            level = alert.level
          }
          const needed = Math.max(limits.forMs, limits.clearMs) + limits.graceMs
          // From the value that held when the time began.
          const lately = within(seen, seen.findLast(({ atMs }) => atMs <= now - needed)?.atMs ?? 0)
          const lasting = unbrokenFrom(seen) <= now - needed && seen.at(-1)?.atMs === now
          if (lasting && lately.every(({ value: one }) => one > limits.critical)) expect(level).toBe('critical')
          if (lasting && lately.every(({ value: one }) => one < limits.warning * 0.8)) expect(level).toBe('ok')
        }
      }
    }),
    { numRuns: 500 },
  )
})

it('one noisy shard speaks for itself, and a shard without data for nobody', () => {
  const shards = ['s1', 's2', 's3', 's4']
  const watch = new ThresholdWatch({ metrics: [metric], staleMs })
  const told: string[] = []
  for (let second = 0; second <= 600; second += 10) {
    const observations = shards.map((subject, index) => ({
      metric: metric.name,
      subject,
      value: index === 0 ? 5_000 : index === 1 && second > 300 ? undefined : 10,
    }))
    for (const { subject, level } of watch.observe(observations, second * 1000)) told.push(`${subject} ${level}`)
  }
  expect(told).toEqual(['s1 critical', 's2 unknown'])
  expect(watch.fleetLevelOf(metric.name)).toBe('ok')
})

it('forgets subjects that are long gone: replicas that come back under another name do not pile up', () => {
  const watch = new ThresholdWatch({ metrics: [metric], staleMs })
  const day = 86_400_000
  for (let round = 0; round < 5; round++) {
    watch.observe([{ metric: metric.name, subject: `s1/r${round}`, value: 900 }], round * (day + 1))
  }
  expect(['s1/r0', 's1/r3'].map((subject) => watch.levelOf(metric.name, subject))).toEqual(['unknown', 'unknown'])
  // An appearance years later begins with its grace, as a new one does.
  const late = watch.observe([{ metric: metric.name, subject: 's1/r0', value: 900 }], 10 * day)
  expect(late.map(({ subject, level }) => `${subject} ${level}`)).toEqual(['s1/r4 unknown'])
})
