import type { Clock, CommitToken, Telemetry } from '@shardwright/core'
import type { ValueType } from '../values/value-type.ts'
import type { Entry } from './entry.ts'

/** The right to fill one key, given at `acquire`; an invalidation in between ends it. */
export interface Lease {
  readonly key: string
}

/** The answer to `acquire`. */
export type Acquired =
  | {
      readonly kind: 'lease'
      readonly lease: Lease /** What the source must have seen. */
      readonly requires: readonly CommitToken[]
    }
  /** Somebody else filled it meanwhile. */
  | { readonly kind: 'entry'; readonly entry: Entry }
  /** Another process loads it. */
  | { readonly kind: 'held' }
  | { readonly kind: 'unavailable' }

/**
 * `refused`: the lease had ended, so the value may be older than an invalidation. `dropped`: the lease stood, but the
 * value is too large to keep, and the old entry is gone.
 */
export type FillOutcome = 'stored' | 'dropped' | 'refused' | 'unavailable'

export interface Invalidation {
  readonly keys: readonly string[]
  /** How far each shard's log had come at the commit. */
  readonly tokens: readonly CommitToken[]
  /**
   * `acknowledged` (the default): no process can read the old values any more. `sent`: they are gone from this tier, and
   * every process that may have a copy is being told; one try, for what comes again by itself.
   */
  readonly until?: 'acknowledged' | 'sent'
}

/** What a shared tier tells about other processes. */
export interface TierListener {
  /** These keys were invalidated by any process. */
  invalidated(keys: readonly string[]): void
  /** Invalidations may have been missed: nothing that was copied from this tier can be believed any more. */
  lost(reason: string): void
}

/** What the cache gives its tiers when it opens them. */
export interface TierContext {
  readonly namespace: string
  /**
   * Of the shape of the values. A tier that outlives the process must not give entries of another one. It is no part of
   * the key: what an older version of the code invalidates must end the entries of the newer one too.
   */
  readonly fingerprint: string
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly valueTypes: readonly ValueType[]
  readonly listener: TierListener
  /** Off only in tests that must see what leases prevent. */
  readonly leases: boolean
  /** Sends what other processes could not; resolves when everything committed before the call has been sent. */
  readonly catchUp: () => Promise<void>
}

type Soon<T> = T | Promise<T>

/**
 * One place that keeps entries. A tier never throws for its own trouble: it answers `unavailable`.
 * `tierContract` in `@shardwright/cache/testing` is the suite that every tier passes.
 */
export interface CacheTier {
  readonly name: string
  /** True when other processes see its entries too. */
  readonly shared: boolean
  /** For a shared tier: it answers, and no invalidation can have been missed. Always true for a local one. */
  readonly trusted: boolean
  open(context: TierContext): Promise<void>
  /** Synchronous where it can be. Expired entries do not exist. */
  read(key: string): Soon<Entry | undefined | 'unavailable'>
  /** `seen` is the entry, if any, that the caller found not good enough. The lease ends by itself after `leaseMs`. */
  acquire(key: string, seen: Entry | undefined, leaseMs: number): Soon<Acquired>
  /** Keeps the lease for another `leaseMs`; false when it has ended. */
  renew(lease: Lease, leaseMs: number): Soon<boolean>
  /** Stores the entry if the lease still stands, and ends the lease. */
  fill(lease: Lease, entry: Entry): Soon<FillOutcome>
  /** Ends the lease without a value; `drop` removes the old entry as well. */
  release(lease: Lease, drop: boolean): Soon<void>
  /**
   * Removes entries and ends their leases, everywhere that sees this tier.
   * Resolves with `late` when that could not be confirmed within the budget; it is then tried again in the background.
   */
  invalidate(invalidation: Invalidation): Soon<'done' | 'late'>
  /** Removes everything of the namespace; `until` as for `invalidate`. */
  clear(until?: Invalidation['until']): Soon<'done' | 'late'>
  /**
   * For a shared tier whose `invalidate` knows `sent`: resolves when every process has taken note of all that was sent
   * before the call, by whichever process. At once while the tier is not trusted. Rejects when it cannot ask.
   */
  confirm?(): Promise<void>
  close(): Promise<void>
}
