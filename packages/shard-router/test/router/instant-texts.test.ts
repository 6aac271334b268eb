import fc from 'fast-check'
import { expect, it } from 'vitest'
import { InstantTexts } from '../../src/execute/instant-texts.ts'

const year10000 = Date.UTC(10_000, 0)

it('writes each instant as JavaScript does, whatever stood before it', () => {
  const dayMs = 86_400_000
  const instants = fc.oneof(
    fc.integer({ min: 0, max: year10000 - 1 }),
    fc.integer({ min: 0, max: 2 * dayMs }),
    fc.integer({ min: 0, max: 40_000 }).map((day) => day * dayMs),
    fc.integer({ min: 1, max: 40_000 }).map((day) => day * dayMs - 1),
  )
  fc.assert(
    fc.property(fc.array(instants, { minLength: 1, maxLength: 20 }), (times) => {
      const texts = new InstantTexts()
      for (const time of times) expect(texts.of(new Date(time))).toBe(new Date(time).toISOString())
    }),
  )
})

it('leaves other years, and what is no date, to pg', () => {
  const texts = new InstantTexts()
  texts.of(new Date(0))
  for (const time of [-1, year10000, Number.NaN]) expect(texts.of(new Date(time))).toBeUndefined()
})
