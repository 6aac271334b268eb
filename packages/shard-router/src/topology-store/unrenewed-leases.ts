import type { Clock } from '@shardwright/core'
import type { Lookout } from './lookout.ts'
import { forgetLease, olderLeases } from './store-tables.ts'

interface LeaseRow {
  readonly holder: string
  readonly epoch: string
  readonly description: string
  readonly expiresAt: string
  readonly leaseMs: number
}

interface Sighting {
  readonly expiresAt: string
  readonly atMs: number
}

/**
 * The leases of older epochs on one shard. One is over when it was not renewed for its whole length while we looked: the
 * server's clock may have been set meanwhile, ours and the holder's only go on.
 */
export class UnrenewedLeases {
  readonly #lookout: Lookout
  readonly #topologyId: string
  readonly #epoch: number
  readonly #clock: Clock
  readonly #seen = new Map<string, Sighting>()

  constructor(lookout: Lookout, topologyId: string, epoch: number, clock: Clock) {
    this.#lookout = lookout
    this.#topologyId = topologyId
    this.#epoch = epoch
    this.#clock = clock
  }

  /** Those that are not over yet. */
  async find(): Promise<readonly LeaseRow[]> {
    const rows = await this.#lookout.ask<LeaseRow>(olderLeases, [this.#topologyId, this.#epoch])
    const left: LeaseRow[] = []
    for (const row of rows) {
      if (this.#ageMs(row) < row.leaseMs) left.push(row)
      else await this.#lookout.ask(forgetLease, [this.#topologyId, row.holder, row.expiresAt])
    }
    return left
  }

  #ageMs({ holder, expiresAt }: LeaseRow): number {
    const now = this.#clock.monotonicMs()
    const known = this.#seen.get(holder)
    if (known?.expiresAt === expiresAt) return now - known.atMs
    this.#seen.set(holder, { expiresAt, atMs: now })
    return 0
  }
}
