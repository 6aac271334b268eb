import { invalidOptions } from './migrator-options.ts'

/** How many shards have been served when a wave ends: a count, a share, or all. */
export type Wave = number | `${number}%` | 'all'

/**
 * Cuts the shards of one migration into waves that run one after another. The last wave takes what is left.
 *
 * @example
 * splitIntoWaves(['a', 'b', 'c', 'd', 'e'], [1, '50%', 'all']) // [['a'], ['b', 'c'], ['d', 'e']]
 */
export function splitIntoWaves<T>(shards: readonly T[], waves: readonly Wave[]): readonly (readonly T[])[] {
  const parts: (readonly T[])[] = []
  let served = 0
  for (const wave of [...waves, 'all' as const]) {
    const until = Math.min(shards.length, reach(wave, shards.length))
    if (until > served) parts.push(shards.slice(served, until))
    served = Math.max(served, until)
  }
  return parts
}

/** Reads `1`, `25%` or `all`, as the command line gives them. */
export function parseWave(text: string): Wave {
  if (text === 'all') return 'all'
  const match = /^([1-9]\d{0,5})(%?)$/.exec(text)
  if (!match || (match[2] === '%' && Number(match[1]) > 100))
    throw invalidOptions(`${JSON.stringify(text)} is not a wave`)
  return match[2] === '%' ? `${Number(match[1])}%` : Number(match[1])
}

function reach(wave: Wave, total: number): number {
  if (wave === 'all') return total
  const parsed = parseWave(String(wave))
  return typeof parsed === 'number' ? parsed : Math.ceil((Number.parseFloat(parsed as string) / 100) * total)
}
