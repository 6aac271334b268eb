/** What a worker is told at its start. */
export interface WorkerPlan {
  readonly seed: number
  readonly index: number
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly namespace: string
  readonly wallets: number
  readonly leases: boolean
  readonly outbox: boolean
  readonly pollMs: number
  readonly strategy: 'read-through' | 'write-through' | 'cache-aside'
}

/** A write that was acknowledged to its caller. Times are CLOCK_MONOTONIC milliseconds, the same in all processes. */
export interface Acknowledged {
  readonly kind: 'write'
  readonly at: number
  readonly wallet: number
  readonly version: number
  /** Made past the library: bound by the outbox's interval. */
  readonly external: boolean
}

/** A read as its caller saw it; `version` 0 means absent. */
export interface Seen {
  readonly kind: 'read'
  readonly from: number
  readonly to: number
  readonly wallet: number
  readonly version: number
  readonly through: 'row' | 'list'
}

/** Something that must never be read: a value of a transaction that was rolled back. */
export interface Poison {
  readonly kind: 'poison'
  readonly wallet: number
}

export type LedgerEvent = Acknowledged | Seen | Poison

export type WorkerMessage =
  | { readonly type: 'events'; readonly events: readonly LedgerEvent[] }
  | { readonly type: 'ready' }
  | { readonly type: 'failure'; readonly text: string }
  | {
      readonly type: 'final'
      readonly versions: readonly number[]
      readonly statistics: Readonly<Record<string, WorkerStatistics>>
    }

export interface WorkerStatistics {
  readonly hits: Readonly<Record<string, number>>
  readonly loads: number
  readonly refusedFills: number
  readonly hitRatio: number
}

export type WorkerCommand = 'finish' | 'exit'

export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** The id of a wallet by its number. */
export function walletId(number: number): { readonly festival_id: string; readonly id: string } {
  return { festival_id: `f${number % 3}`, id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` }
}

export function walletNumber(id: string): number {
  return Number(id.slice(-12))
}
