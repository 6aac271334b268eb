import { describe, expect, test } from 'vitest'
import { type LanePace, StatementPace } from '../../src/pool/statement-pace.ts'

const lane: LanePace = { slowMs: 5, usualMs: 0.5 }

/** A shape with a clock of its own. */
function shapeOf(light: boolean) {
  const pace = new StatementPace(light)
  let now = 1_000
  const clock = { monotonicMs: () => now }
  return {
    wait: (ms: number) => {
      now += ms
    },
    lockWait: (quietMs: number) => pace.waited(now, quietMs),
    fits: () => pace.takesLane(clock, lane),
    /** Runs where the shape fits, and tells where that was. */
    run(onLaneMs: number, besideMs = onLaneMs): 'lane' | 'beside' {
      const sentAt = now
      if (pace.takesLane(clock, lane)) {
        now += onLaneMs
        pace.learnOnLane(onLaneMs, sentAt, now, lane)
        return 'lane'
      }
      now += besideMs
      pace.learnBeside(besideMs, now, lane)
      return 'beside'
    },
    answerOf: (sentAt: number, durationMs: number) => pace.learnOnLane(durationMs, sentAt, now, lane),
  }
}

function runs(shape: ReturnType<typeof shapeOf>, count: number, onLaneMs: number, besideMs = onLaneMs) {
  return Array.from({ length: count }, () => shape.run(onLaneMs, besideMs))
}

describe('the pace of a shape', () => {
  test('a pause of the whole process, in one answer of each batch, is no verdict', () => {
    const shape = shapeOf(true)
    shape.run(30)
    for (let batch = 0; batch < 200; batch++) {
      expect(shape.run(30)).toBe('lane')
      runs(shape, 31, 0.05)
    }
  })

  test('nor is one answer that took very long, of a shape that never did', () => {
    const shape = shapeOf(true)
    runs(shape, 100, 0.2)
    expect(shape.run(5_000)).toBe('lane')
    expect(shape.fits()).toBe(true)
    expect(runs(shape, 3, 200).at(-1)).toBe('beside')
  })

  test('a shape that left is tried on the lane also where nothing answers beside it', () => {
    const shape = shapeOf(true)
    runs(shape, 3, 50)
    for (let waiting = 0; waiting < 3; waiting++) expect(shape.fits()).toBe(false)
    shape.wait(1_000)
    expect(shape.fits()).toBe(true)
  })

  test('after a wait for a lock a shape runs beside the lane for a moment', () => {
    const shape = shapeOf(true)
    runs(shape, 10, 0.2)
    shape.lockWait(200)
    expect(shape.fits()).toBe(false)
    shape.wait(200)
    expect(shape.fits()).toBe(true)
  })

  test('what is slow on the lane leaves after its third statement', () => {
    const shape = shapeOf(true)
    expect(runs(shape, 6, 50)).toEqual(['lane', 'lane', 'lane', 'beside', 'beside', 'beside'])
    const later = shapeOf(true)
    runs(later, 1_000, 0.2)
    expect(runs(later, 20, 50).filter((place) => place === 'lane').length).toBeLessThan(5)
  })

  test('what is slow everywhere is not tried on the lane again', () => {
    const shape = shapeOf(true)
    runs(shape, 3, 50)
    for (let minute = 0; minute < 10; minute++) {
      shape.wait(60_000)
      expect(runs(shape, 20, 50)).not.toContain('lane')
    }
  })

  test('a quick shape that was driven out comes back, though everything beside the lane is slow', () => {
    const shape = shapeOf(true)
    runs(shape, 3, 20)
    expect(runs(shape, 10, 0.3, 12)).not.toContain('lane')
    shape.wait(1_000)
    expect(runs(shape, 100, 0.3, 12)).toEqual(Array(100).fill('lane'))
  })

  test('of a shape near the limit one statement at a time is tried, later each time', () => {
    const shape = shapeOf(true)
    runs(shape, 3, 15)
    let trials = 0
    for (let second = 0; second < 600; second++) {
      trials += runs(shape, 20, 15).filter((place) => place === 'lane').length
      shape.wait(700)
    }
    expect(trials).toBeGreaterThan(8)
    expect(trials).toBeLessThan(18)
  })

  test('answers of what was sent before the shape left bring it back no sooner', () => {
    const shape = shapeOf(true)
    runs(shape, 3, 50)
    shape.answerOf(1_000, 0.1)
    expect(shape.fits()).toBe(false)
  })

  test('a shape that looks heavy is measured beside the lane first', () => {
    const quick = shapeOf(false)
    expect(runs(quick, 3, 1)).toEqual(['beside', 'lane', 'lane'])
    const slow = shapeOf(false)
    expect(runs(slow, 10, 40)).not.toContain('lane')
    // One that met a busy moment is found quick by its later runs.
    const unlucky = shapeOf(false)
    expect(runs(unlucky, 1, 1, 12)).toEqual(['beside'])
    expect(runs(unlucky, 20, 1).at(-1)).toBe('lane')
  })
})
