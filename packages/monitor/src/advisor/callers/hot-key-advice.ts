import type { Advice } from '../advice.ts'

/** A frequent key; without its name where that is not shown. */
interface FrequentKey {
  readonly family: string
  readonly key?: string | undefined
  readonly uses: number
  readonly share: number
}

/** A key with more than this share of its family's uses is hot. */
const hotShare = 0.2
const fewestUses = 1_000

/** Keys that take more than their share: what `hotKeys().top()` tells; pure. It names them, as `top()` does. */
export function hotKeyAdvice(top: readonly FrequentKey[]): readonly Advice[] {
  return top
    .filter(({ uses, share }) => uses >= fewestUses && share >= hotShare)
    .map(({ family, key, uses, share }) =>
      Object.freeze<Advice>({
        topic: 'keys',
        severity: share >= 0.5 ? 'warning' : 'advice',
        shards: [],
        object: family,
        message: `${key === undefined ? `one ${family}` : `${family} = ${key}`} has ${Math.round(share * 100)} % of the uses of its family (${uses} lately)`,
        remedy: 'Cache its reads, or pin it to a shard of its own: a key cannot be spread.',
      }),
    )
}
