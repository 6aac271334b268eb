import { median } from './median.ts'

export interface Alternation {
  /** The product and what it is measured against; each gives a figure of one round. */
  readonly ours: () => Promise<number>
  readonly theirs: () => Promise<number>
  /** Default: 7. Never below 5. */
  readonly rounds?: number
}

/**
 * The median of the ratios of neighbouring rounds, ours to theirs, who goes first alternating: a machine that is slow for
 * a while is slow for both. One round of each goes before and does not count.
 */
export async function alternate({
  ours,
  theirs,
  rounds = 7,
}: Alternation): Promise<{ ratio: number; samples: number }> {
  await theirs()
  await ours()
  const ratios: number[] = []
  for (let round = 0; round < Math.max(5, rounds); round++) {
    if (round % 2 === 0) {
      const against = await theirs()
      ratios.push((await ours()) / against)
    } else {
      const value = await ours()
      ratios.push(value / (await theirs()))
    }
  }
  return { ratio: median(ratios), samples: ratios.length }
}
