import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide, type HistoryPoint, MonitorError, plotReplay, replayRules, type ScalingRule } from '../src/index.ts'

const minute = 60_000
const t0 = Date.UTC(2026, 0, 1)
const up: ScalingRule = {
  name: 'more',
  target: 'replicas',
  metric: 'cpu',
  direction: 'up',
  threshold: 0.7,
  periodMs: minute,
  periods: 3,
  increment: 1,
  coolDownMs: 10 * minute,
  minimum: 1,
  maximum: 4,
}
const down: ScalingRule = { ...up, name: 'fewer', direction: 'down', threshold: 0.3, periods: 5 }

/** One value a minute; `undefined` is a gap. */
function points(values: readonly (number | undefined)[], from = t0): HistoryPoint[] {
  return values.map((cpu, index) => ({ atMs: from + index * minute, values: cpu === undefined ? {} : { cpu } }))
}

function replayed(values: readonly HistoryPoint[], replicas = 1, rules = [up, down]): string[] {
  return replayRules(rules, values, { replicas }).actions.map(
    ({ atMs, from, to }) => `${(atMs - t0) / minute}:${from}>${to}`,
  )
}

const high = (times: number) => Array<number>(times).fill(0.9)
const low = (times: number) => Array<number>(times).fill(0.1)

describe('scaling rules', () => {
  it('fire after their periods, wait for the cool-down, and stop at the maximum', () => {
    expect(replayed(points(high(60)))).toEqual(['2:1>2', '12:2>3', '22:3>4'])
  })

  it('go down by a rule of their own, to the minimum', () => {
    expect(replayed(points([...high(3), ...low(60)]))).toEqual(['2:1>2', '12:2>1'])
  })

  it('do not flap: values between the thresholds, or that swing, change nothing', () => {
    expect(replayed(points(Array.from({ length: 60 }, (_, index) => (index % 2 ? 0.9 : 0.1))))).toEqual([])
    expect(replayed(points(Array<number>(60).fill(0.5)), 3)).toEqual([])
  })

  it('take a gap for nothing: neither for load nor for calm', () => {
    expect(replayed(points([0.9, 0.9, undefined, 0.9, 0.9, undefined, 0.9]))).toEqual([])
    expect(replayed(points([...low(4), undefined, ...low(4)]), 3)).toEqual([])
  })

  it('survive a clock that jumps back or ahead', () => {
    const back = [...points(high(2)), ...points(high(5), t0 - 60 * minute)]
    expect(replayed(back)).toEqual(['-58:1>2'])
    const afterAction = [...points(high(3)), ...points(high(30), t0 - 60 * minute)]
    // The change lies in the future now: its cool-down counts from the start of the new time line.
    expect(replayed(afterAction)).toEqual(['2:1>2', '-50:2>3', '-40:3>4'])
    const ahead = [...points(high(2)), ...points(high(3), t0 + 600 * minute)]
    expect(replayed(ahead)).toEqual(['602:1>2'])
  })

  it('let up go before down, and keep the size while an up rule cannot see', () => {
    const memory: ScalingRule = { ...up, name: 'memory', metric: 'memory', periods: 1, increment: 2 }
    const history = { nowMs: t0 + 4 * minute, points: points(low(5)), changes: [], sizes: { replicas: 2 } }
    expect(decide([up, down], history).actions).toMatchObject([{ to: 1 }])
    const blind = decide([up, down, memory], history)
    expect(blind.actions).toEqual([])
    expect(blind.verdicts.map(({ verdict }) => verdict)).toEqual(['not-reached', 'overruled', 'missing-data'])
    const both = history.points.map((point) => ({ ...point, values: { ...point.values, memory: 0.95 } }))
    expect(decide([up, down, memory], { ...history, points: both }).actions).toMatchObject([{ rule: 'memory', to: 4 }])
  })

  it('never leave their limits, nor act twice within a cool-down, whatever was measured', () => {
    const value = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined })
    const blocks = fc.array(fc.tuple(value, fc.integer({ min: 1, max: 12 })), { maxLength: 20 })
    fc.assert(
      fc.property(blocks, fc.integer({ min: 1, max: 4 }), (parts, replicas) => {
        const values = parts.flatMap(([level, times]) => Array<number | undefined>(times).fill(level))
        const { actions } = replayRules([up, down], points(values), { replicas })
        actions.forEach((action, index) => {
          expect(action.to).toBeGreaterThanOrEqual(1)
          expect(action.to).toBeLessThanOrEqual(4)
          const before = actions[index - 1]
          if (before) expect(action.atMs - before.atMs).toBeGreaterThanOrEqual(10 * minute)
        })
      }),
    )
  })

  it('a replay decides as decide does over the whole history', () => {
    const recorded = points([...high(20), ...low(40)])
    const replay = replayRules([up, down], recorded, { replicas: 1 })
    const changes: { atMs: number; target: string }[] = []
    let replicas = 1
    recorded.forEach(({ atMs }, index) => {
      const { actions } = decide([up, down], {
        nowMs: atMs,
        points: recorded.slice(0, index + 1),
        changes,
        sizes: { replicas },
      })
      expect(actions).toEqual(replay.steps[index]?.actions)
      for (const { to } of actions) {
        replicas = to
        changes.push({ atMs, target: 'replicas' })
      }
    })
    expect(changes.length).toBeGreaterThan(2)
  })

  it('refuse rules that would swing for ever, or have one name', () => {
    const history = { nowMs: t0, points: [], changes: [], sizes: {} }
    expect(() => decide([up, { ...down, threshold: 0.8 }], history)).toThrow(/fewer scales down at 0.8/)
    expect(() => decide([up, up], history)).toThrow(MonitorError)
    expect(() => decide([{ ...up, periods: 0 }], history)).toThrow(/periods/)
  })

  it('are drawn: a gap is a gap, an action is a mark, names cannot break the picture', () => {
    const rules = [{ ...up, name: '<more> & "more"' }, down]
    const replay = replayRules(rules, points([...high(12), undefined, ...high(3)]), { replicas: 1 })
    const svg = plotReplay(replay, { metric: 'cpu', target: 'replicas' })
    const line = /<path d="([^"]*)" fill="none" stroke="#1e8449"/.exec(svg)?.[1] ?? ''
    expect(line.match(/M/g)).toHaveLength(2)
    expect(svg.match(/<title>/g)).toHaveLength(replay.actions.length)
    expect(svg).not.toContain('<more>')
    expect(svg).not.toContain('NaN')
    expect(() => plotReplay(replay, { metric: 'nothing', target: 'replicas' })).toThrow(/no value of 'nothing'/)
  })
})
