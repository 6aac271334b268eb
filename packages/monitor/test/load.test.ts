import { ManualClock } from '@shardwright/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  defineWorkload,
  type LoadReport,
  loadProfile,
  loadProfileNames,
  plotLoad,
  type RunLoadOptions,
  runLoad,
} from '../src/index.ts'
import { arrivals } from '../src/load/arrivals.ts'
import { seededRandom } from '../src/load/seeded-random.ts'

const flat = (rate: number, durationMs: number) => [{ durationMs, fromRate: rate, toRate: rate }]

/** Runs on a clock that only goes as far as the run needs. */
async function runOn<Context>(
  clock: ManualClock,
  options: Omit<RunLoadOptions<Context>, 'clock'>,
): Promise<LoadReport> {
  let done = false
  const running = runLoad({ ...options, clock }).finally(() => {
    done = true
  })
  running.catch(() => {})
  while (!done) await clock.advance(1)
  return await running
}

const calls = (run: () => Promise<unknown>) => defineWorkload<undefined>({ operations: [{ name: 'call', run }] })

describe('arrivals', () => {
  const stage = fc.record({
    durationMs: fc.integer({ min: 10, max: 5_000 }),
    fromRate: fc.integer({ min: 0, max: 200 }),
    toRate: fc.integer({ min: 0, max: 200 }),
  })

  it('are as many as the rates give, in order, each when its share of the rate is due', () => {
    fc.assert(
      fc.property(fc.array(stage, { minLength: 1, maxLength: 4 }), (stages) => {
        const times = [...arrivals(stages)]
        const expected = (untilMs: number) => {
          let sum = 0
          let start = 0
          for (const { durationMs, fromRate, toRate } of stages) {
            const t = Math.min(durationMs, Math.max(0, untilMs - start))
            sum += (fromRate * t + ((toRate - fromRate) * t * t) / (2 * durationMs)) / 1000
            start += durationMs
          }
          return sum
        }
        expect(Math.abs(times.length - expected(Number.POSITIVE_INFINITY))).toBeLessThanOrEqual(0.51)
        const wrong = times.findIndex(
          (time, index) => time < (times[index - 1] ?? 0) || Math.abs(expected(time) - index - 0.5) > 1e-4,
        )
        expect(wrong).toBe(-1)
      }),
    )
  })

  it('at random are as many on average, and no two gaps are alike', () => {
    const times = [...arrivals(flat(100, 100_000), seededRandom(7))]
    expect(times.length).toBeGreaterThan(9_600)
    expect(times.length).toBeLessThan(10_400)
    const gaps = times.slice(1).map((time, index) => time - (times[index] as number))
    const short = gaps.filter((gap) => gap < 10).length / gaps.length
    expect(short).toBeCloseTo(1 - Math.exp(-1), 1)
    expect([...arrivals(flat(100, 1_000), seededRandom(7))]).toEqual(times.filter((time) => time < 1_000))
  })

  it('of every profile are within its time', () => {
    for (const name of loadProfileNames) {
      const times = [...arrivals(loadProfile(name, { rate: 10, durationMs: 20_000 }))]
      expect(times.length, name).toBeGreaterThan(5)
      expect(Math.max(...times), name).toBeLessThanOrEqual(20_000)
    }
    expect(() => loadProfile('soak', { rate: 10, durationMs: 90_000_000 })).toThrow(/within a day/)
    expect(() => loadProfile('load', { rate: -1 })).toThrow(/MONITOR_INVALID|stages/)
  })
})

describe('a run', () => {
  it('counts the waiting of calls that were due behind a slow one: latencies are those of a queue', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 5, maxLength: 40 }),
        async (services) => {
          const clock = new ManualClock()
          let turn = 0
          const workload = calls(() => clock.sleep(services[turn++ % services.length] as number))
          const stages = flat(25, 2_000)
          const report = await runOn(clock, {
            workload,
            stages,
            context: undefined,
            maxInFlight: 1,
            poisson: false,
            drainMs: 60_000,
          })
          // One server: a call starts when it is due and the one before has ended.
          let freeMs = 0
          const expected = [...arrivals(stages)].map((dueMs, index) => {
            freeMs = Math.max(freeMs, dueMs) + (services[index % services.length] as number)
            return freeMs - dueMs
          })
          const sorted = expected.toSorted((a, b) => a - b)
          for (const [name, share] of [
            ['p50', 0.5],
            ['p99', 0.99],
            ['max', 1],
          ] as const) {
            const exact = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
            // The timers of this process add up to a millisecond per call of a busy period.
            expect(report.latency[name]).toBeGreaterThanOrEqual(exact * 0.98 - 1)
            expect(report.latency[name]).toBeLessThanOrEqual(exact * 1.02 + sorted.length)
          }
          expect(report.calls).toBe(expected.length)
          expect(report.service.max).toBeLessThanOrEqual(Math.max(...services) * 1.02 + 1)
        },
      ),
      { numRuns: 15 },
    )
  })

  it('shows a stall that a closed loop would hide', async () => {
    const clock = new ManualClock()
    let turn = 0
    const workload = calls(() => clock.sleep(turn++ === 100 ? 2_000 : 1))
    const report = await runOn(clock, {
      workload,
      stages: flat(100, 10_000),
      context: undefined,
      maxInFlight: 1,
      poisson: false,
    })
    // One call of a thousand is slow; two hundred were due meanwhile.
    expect(report.service.p99).toBeLessThan(3)
    expect(report.latency.p90).toBeGreaterThan(500)
    expect(report.end).toBe('done')
    const offered = report.moments.map((moment) => moment.offered)
    expect(offered).toEqual(Array(10).fill(100))
  })

  it('takes operations by their weights, the same for the same seed, each with numbers of its own', async () => {
    const run = async (seed: number) => {
      const seen: string[] = []
      const operation = (name: string, weight: number) => ({
        name,
        weight,
        run: async (_: undefined, { turn, random }: { turn: number; random: () => number }) => {
          seen.push(`${name} ${turn} ${random()}`)
        },
      })
      const workload = defineWorkload<undefined>({ operations: [operation('often', 9), operation('seldom', 1)] })
      const report = await runOn(new ManualClock(), { workload, stages: flat(200, 5_000), context: undefined, seed })
      return { seen, report }
    }
    const { seen, report } = await run(3)
    expect((await run(3)).seen).toEqual(seen)
    expect((await run(4)).seen).not.toEqual(seen)
    expect(new Set(seen.map((text) => text.split(' ')[2])).size).toBe(seen.length)
    const often = report.operations.find(({ operation }) => operation === 'often')?.calls ?? 0
    expect(often / report.calls).toBeCloseTo(0.9, 1)
    expect(report.broken).toEqual([])
  })

  it('ends by itself when most calls fail, names their codes, and no text of an error is in the report', async () => {
    const clock = new ManualClock()
    const workload = calls(async () => {
      throw Object.assign(new Error('password=secret'), { code: '57P01' })
    })
    const report = await runOn(clock, { workload, stages: flat(100, 60_000), context: undefined })
    expect(report.end).toBe('errors')
    expect(report.durationMs).toBeLessThan(5_000)
    expect(Object.keys(report.errorCodes)).toEqual(['57P01'])
    expect(JSON.stringify(report)).not.toContain('secret')
    expect(report.broken[0]).toMatch(/^100 % of the calls failed/)
  })

  it('ends by itself when the system does not keep up, and does not wait for what hangs', async () => {
    const clock = new ManualClock()
    const workload = calls(() => new Promise(() => {}))
    const report = await runOn(clock, {
      workload,
      stages: flat(100, 60_000),
      context: undefined,
      maxInFlight: 10,
      maxWaiting: 50,
    })
    expect(report).toMatchObject({ end: 'overload', dropped: 1, unfinished: 60, calls: 61, errors: 61, throughput: 0 })
    expect(report.durationMs).toBeLessThan(2_000)
    // What was not answered took at least as long as it was waited for.
    expect(report.latency.max).toBeGreaterThan(300)
  })

  it('lets calls end for a time, then counts them as unfinished and aborts them', async () => {
    const clock = new ManualClock()
    const aborted: number[] = []
    const workload = defineWorkload<undefined>({
      operations: [
        {
          name: 'slow',
          run: (_, { signal, turn }) => {
            signal.addEventListener('abort', () => aborted.push(turn))
            return clock.sleep(turn === 0 ? 1_500 : 600_000)
          },
        },
      ],
    })
    const stages = flat(2, 1_000)
    const report = await runOn(clock, { workload, stages, context: undefined, poisson: false, drainMs: 3_000 })
    expect(report).toMatchObject({ end: 'done', calls: 2, unfinished: 1, errorCodes: { UNFINISHED: 1 } })
    expect(aborted).toContain(1)
    expect(report.durationMs).toBeLessThan(4_100)
  })

  it('is interrupted by its signal at once; setup and cleanup run, also when setup fails', async () => {
    const clock = new ManualClock()
    const steps: string[] = []
    const abort = new AbortController()
    const workload = (fails: boolean) =>
      defineWorkload<{ name: string }>({
        setup: async ({ name }) => {
          steps.push(`setup ${name}`)
          if (fails) throw new Error('no table')
        },
        cleanup: async () => void steps.push('cleanup'),
        operations: [
          {
            name: 'call',
            run: async (_, { turn }) => {
              if (turn === 50) abort.abort()
            },
          },
        ],
      })
    const context = { name: 'x' }
    const report = await runOn(clock, {
      workload: workload(false),
      stages: flat(100, 60_000),
      context,
      signal: abort.signal,
    })
    expect(report.end).toBe('interrupted')
    expect(report.durationMs).toBeLessThan(1_500)
    const failing = runOn(clock, { workload: workload(true), stages: flat(1, 1_000), context })
    await expect(failing).rejects.toThrow('no table')
    expect(steps).toEqual(['setup x', 'cleanup', 'setup x', 'cleanup'])
  })

  it('refuses a workload that cannot be meant', async () => {
    const run = (workload: unknown) =>
      runLoad({ workload: workload as never, stages: flat(1, 1_000), context: undefined })
    await expect(run({ operations: [] })).rejects.toMatchObject({ code: 'MONITOR_INVALID_OPTIONS' })
    await expect(run({ operations: [{ name: 'a', run: 'no' }] })).rejects.toThrow(/is no function/)
    const same = { name: 'a', run: async () => {} }
    await expect(run({ operations: [same, same] })).rejects.toThrow(/same name/)
  })

  it('is judged by the limits of its workload, and drawn: names cannot break the picture', async () => {
    const clock = new ManualClock()
    const workload = { ...calls(() => clock.sleep(40)), limits: { p50Ms: 100, p95Ms: 10 } }
    const report = await runOn(clock, { workload, stages: flat(20, 5_000), context: undefined })
    expect(report.broken).toEqual([expect.stringMatching(/^p95 is 4\d ms, the limit is 10 ms$/)])
    const svg = plotLoad(report, { title: '<load> & "more"' })
    expect(svg).not.toContain('<load>')
    expect(svg).not.toContain('NaN')
    expect(svg.match(/<path /g)).toHaveLength(6)
    const empty = await runOn(clock, { workload, stages: flat(0, 1_000), context: undefined })
    expect(empty.broken[0]).toBe('no call was made')
    expect(plotLoad(empty)).not.toContain('NaN')
  })
})
