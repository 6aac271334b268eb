import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Histogram, MonitorError } from '../src/index.ts'

const shares = [0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1]

function exact(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
}

function filled(values: readonly number[], relativeError = 0.01): Histogram {
  const histogram = new Histogram({ relativeError })
  for (const value of values) histogram.record(value)
  return histogram
}

function expectWithin(histogram: Histogram, values: readonly number[]): void {
  for (const share of shares) {
    const wanted = exact(values, share)
    const got = histogram.percentile(share)
    if (wanted === undefined || got === undefined) {
      expect(got).toBe(wanted)
      continue
    }
    const allowed = Math.max(histogram.relativeError * wanted * (1 + 1e-9), histogram.smallest)
    expect(Math.abs(got - wanted), `p${share * 100}: ${got} for ${wanted}`).toBeLessThanOrEqual(allowed)
  }
}

describe('Histogram', () => {
  const value = fc.oneof(
    fc.double({ min: 0, max: 1e9, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom(0, 0.001, 1, 1000),
  )

  it('merged over shards, gives each percentile within its stated error of the exact one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(value, { maxLength: 60 }), { maxLength: 6 }),
        fc.constantFrom(0.005, 0.01, 0.05),
        (parts, error) => {
          const merged = new Histogram({ relativeError: error })
          for (const part of parts) merged.merge(filled(part, error))
          const all = parts.flat()
          expect(merged.size).toBe(all.length)
          expectWithin(merged, all)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is right where averaged percentiles are wrong: one slow shard of four', () => {
    const fast = Array.from({ length: 1000 }, (_, index) => 1 + index / 1000)
    const slow = Array.from({ length: 1000 }, (_, index) => 400 + index / 10)
    const parts = [fast, fast, fast, slow]
    const merged = new Histogram()
    for (const part of parts) merged.merge(filled(part))
    expectWithin(merged, parts.flat())
    const averaged = parts.reduce((sum, part) => sum + (exact(part, 0.9) as number), 0) / 4
    expect(Math.abs(averaged - (merged.percentile(0.9) as number))).toBeGreaterThan(100)
  })

  it('survives the way through JSON, and a merge with itself', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 50 }), (values) => {
        const histogram = Histogram.from(JSON.parse(JSON.stringify(filled(values))))
        expect(histogram.toJSON()).toEqual(filled(values).toJSON())
        expectWithin(histogram.merge(histogram), [...values, ...values])
      }),
    )
  })

  it('counts what is no measurement apart', () => {
    const histogram = filled([Number.NaN, -1, Number.POSITIVE_INFINITY])
    expect([histogram.size, histogram.refused, histogram.percentile(0.5)]).toEqual([0, 3, undefined])
  })

  it('refuses to merge what would not be exact, and data of another form', () => {
    expect(() => filled([1], 0.01).merge(filled([1], 0.02))).toThrow(
      expect.objectContaining({ code: 'HISTOGRAMS_DIFFER' }),
    )
    expect(() => Histogram.from({ counts: 'x' })).toThrow(MonitorError)
    expect(() => new Histogram({ relativeError: 0 })).toThrow(/relativeError/)
  })
})
