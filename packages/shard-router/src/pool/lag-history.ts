import { compareLsn } from '@shardwright/core'

interface Sample {
  readonly at: number
  readonly lsn: string
}

const maxSamples = 600

/**
 * Where the primary's log stood when. A replica's lag in time is how long ago the primary wrote what the replica has not
 * yet replayed: while nothing is written there is no lag, and no two clocks are compared.
 */
export class LagHistory {
  readonly #samples: Sample[] = []

  get latest(): string | undefined {
    return this.#samples.at(-1)?.lsn
  }

  add(at: number, lsn: string): void {
    const last = this.#samples.at(-1)
    // Of equal positions the first counts: the wait began there.
    if (last !== undefined && compareLsn(last.lsn, lsn) >= 0) return
    this.#samples.push({ at, lsn })
    if (this.#samples.length > maxSamples) this.#samples.shift()
  }

  /** Milliseconds since the primary passed `replayed`; 0 when it has not. */
  lagMs(now: number, replayed: string): number {
    const missing = this.#samples.find((sample) => compareLsn(sample.lsn, replayed) > 0)
    return missing === undefined ? 0 : Math.max(0, now - missing.at)
  }

  /** A promoted server counts anew. */
  clear(): void {
    this.#samples.length = 0
  }
}

/** How many bytes of log `behind` lacks of `ahead`; 0 when it is not behind. */
export function lagBytes(ahead: string, behind: string): number {
  return Math.max(0, Number(toBigInt(ahead) - toBigInt(behind)))
}

function toBigInt(lsn: string): bigint {
  const [high = '0', low = '0'] = lsn.split('/')
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}
