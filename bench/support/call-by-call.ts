import { median } from './median.ts'

/**
 * How long one call takes, ours to theirs, the two taking turns call by call. A round of one and then of the other would
 * also measure on which cores the kernel happens to have left the servers of each: here they share their luck.
 */
export async function callByCall(
  ours: () => Promise<unknown>,
  theirs: () => Promise<unknown>,
  { rounds = 9, calls = 60 } = {},
): Promise<{ ratio: number; samples: number }> {
  const ratios: number[] = []
  for (let round = -1; round < rounds; round++) {
    const taken: Record<'ours' | 'theirs', number[]> = { ours: [], theirs: [] }
    for (let call = 0; call < calls; call++) {
      taken.theirs.push(await duration(theirs))
      taken.ours.push(await duration(ours))
    }
    if (round >= 0) ratios.push(median(taken.ours) / median(taken.theirs))
  }
  return { ratio: median(ratios), samples: ratios.length }
}

/** Milliseconds. */
export async function duration(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await call()
  return performance.now() - start
}
