import fc from 'fast-check'

/** A seed that a failing run prints, and that SHARDWRIGHT_SEED repeats. */
export const seed = Number(process.env.SHARDWRIGHT_SEED ?? Date.now() % 2 ** 31)

/** The first `count` values that the arbitrary gives under the seed. */
export function samples<T>(arbitrary: fc.Arbitrary<T>, count: number): T[] {
  return fc.sample(arbitrary, { seed, numRuns: count })
}
